// Mistakes that Express handlers are known for, each put into the sound receiver by itself: parts of
// `createApp` that go before its own. Nothing here is worth copying.

import express from 'express';

import { checked, counts, grantsOf } from './event.js';

// `app.use(express.json())` stands at the top of most programs, so the body is parsed already, and
// what is verified is written from it.
const parsedFirst = {
  bodyParser: express.json({ limit: '1mb' }),
  bytesOf: (request) => request.body && Buffer.from(JSON.stringify(request.body)),
};

// JSON.parse makes doubles of all numbers, and 9007199254740993 is none.
const doubleQuantities = {
  readEvent: (body) => checked(JSON.parse(body.toString())),
};

// The sender is answered at once, and nobody hears of what goes wrong afterwards.
const answeredFirst = {
  take(ledger, event, response, status) {
    response.status(status).json({ status: 'ok' });
    notifyAndGrant(ledger, event).catch((error) => console.error(error.message));
  },
};

async function notifyAndGrant(ledger, event) {
  const text = event.event_data.item.description.trim();
  await Promise.resolve(text); // where the player is told
  if (counts(event)) {
    ledger.grantOnce(event.idempotency_key, event.event_data.player_id, grantsOf(event));
  }
}

export const FLAWS = {
  'parsed-first': parsedFirst,
  'double-quantities': doubleQuantities,
  'answered-first': answeredFirst,
};
