// Serves the receiver on loopback, without or with a flaw.
//
//     AGHANIM_WEBHOOK_SECRET=… node serve.js --port 8102 --ledger ledger.sqlite

import { parseArgs } from 'node:util';

import { FLAWS } from './flaws.js';
import { Ledger } from './ledger.js';
import { createApp, HOOK_PATH } from './receiver.js';

function fail(problem) {
  console.error(problem);
  process.exit(2);
}

const { values: chosen } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    ledger: { type: 'string' },
    flaw: { type: 'string' },
  },
});
const secret = process.env.AGHANIM_WEBHOOK_SECRET;
if (!secret) fail('AGHANIM_WEBHOOK_SECRET is not set or empty');
if (!chosen.ledger) fail('--ledger FILE is missing: the SQLite database');
if (chosen.flaw && !Object.hasOwn(FLAWS, chosen.flaw)) {
  fail(`--flaw must be one of ${Object.keys(FLAWS).join(', ')}`);
}

const app = createApp(secret, new Ledger(chosen.ledger), FLAWS[chosen.flaw]);
const server = app.listen({ port: Number(chosen.port), host: '127.0.0.1', backlog: 1024 }, (error) => {
  if (error) fail(error.message);
  console.log(`listening on http://127.0.0.1:${server.address().port}${HOOK_PATH}`);
});
