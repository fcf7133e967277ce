// Mistakes that are typical of Express handlers. Each replaces steps of the sound receiver through the
// third parameter of `createApp`. Do not copy this code.

import express from 'express';

import { unixSeconds } from './clock.js';
import { checked, grantsFor, isGranted, parsed, readEvent } from './event.js';
import { verify } from './receiver.js';
import { Refusal } from './refusal.js';

// Most programs start with `app.use(express.json())`. Then the body is already parsed, and the
// signature is verified over the JSON that is serialised from it.
const parsedFirst = {
  bodyParser: express.json({ limit: '1mb' }),
  bytesOf: (request) => request.body && Buffer.from(JSON.stringify(request.body)),
};

// Without a limit of its own, a body parser of Express refuses more than 100 kB with 413.
const smallLimit = { bodyParser: express.raw({ type: () => true, inflate: false }) };

// The parser skips a request whose header is not exactly this, and leaves no body.
const contentTypeCompared = {
  bodyParser: express.raw({
    type: (request) => request.headers['content-type'] === 'application/json',
    inflate: false,
    limit: '1mb',
  }),
};

// `+=` decodes each chunk, so a letter that is split between two chunks is lost.
const textConcatenated = {
  bodyParser(request, response, next) {
    let text = '';
    request.on('data', (chunk) => (text += chunk));
    request.on('end', () => {
      request.body = Buffer.from(text);
      next();
    });
  },
};

// rawHeaders, and the headers of some proxies and serverless platforms, keep the sender's spelling.
const headersBySpelling = {
  headersOf({ rawHeaders }) {
    const headers = {};
    for (const name of ['X-Aghanim-Signature', 'X-Aghanim-Signature-Timestamp']) {
      const values = rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1] === name);
      headers[name.toLowerCase()] = values;
    }
    return headers;
  },
};

// parseInt ignores what follows the digits, and no comparison with NaN is true.
const parsedTimestamp = {
  verify(secret, headers, body) {
    const isFresh = (timestamp) => !(Math.abs(unixSeconds() - parseInt(timestamp, 10)) > 300);
    verify(secret, headers, body, isFresh);
  },
};

// A template literal makes 'undefined' of a variable that is not set.
const undefinedSecret = {
  verify(secret, headers, body) {
    const previousSecret = `${process.env.AGHANIM_PREVIOUS_SECRET}`;
    try {
      verify(secret, headers, body);
    } catch {
      verify(previousSecret, headers, body);
    }
  },
};

// JSON.parse makes doubles of all numbers, and no double equals 9007199254740993.
const doubleQuantities = {
  readEvent(body) {
    const toBigInt = (_, value) => (Number.isInteger(value) ? BigInt(value) : value);
    return checked(JSON.parse(body.toString(), toBigInt));
  },
};

// Responds before granting, so that later errors are not reported to the sender.
const answeredFirst = {
  take(ledger, event, response, status) {
    response.status(status).json({ status: 'ok' });
    notifyAndGrant(ledger, event).catch((error) => console.error(error.message));
  },
};

async function notifyAndGrant(ledger, event) {
  const text = event.event_data.item.description.trim();
  await Promise.resolve(text); // stands for notifying the player
  if (isGranted(event)) {
    ledger.grantOnce(event.idempotency_key, event.event_data.player_id, grantsFor(event));
  }
}

// timingSafeEqual throws if the lengths differ, and an error that nobody catches ends the process.
const crashesOnSignature = {
  verify(secret, headers, body) {
    const [signature] = headers['x-aghanim-signature'] ?? [''];
    if (signature.length !== 64) {
      console.error('RangeError: Input buffers must have the same byte length');
      process.exit(1);
    }
    verify(secret, headers, body);
  },
};

// A step of handling that grants with `grant` and then responds.
const grantsWith = (grant) => ({
  take(ledger, event, response, status) {
    if (isGranted(event)) {
      grant(ledger, event.idempotency_key, event.event_data.player_id, grantsFor(event));
    }
    response.status(status).json({ status: 'ok' });
  },
});

// ON CONFLICT DO NOTHING reports no error for a known key.
const conflictIgnored = grantsWith((ledger, key, playerId, grants) => {
  ledger.storeKey(key, playerId);
  ledger.add(playerId, grants);
});

// The key is stored after the grant, and an error between them loses it: here the first time that the
// database is busy for each key.
const busy = new Set();
const twoTransactions = grantsWith((ledger, key, playerId, grants) => {
  if (ledger.hasKey(key)) return;
  ledger.add(playerId, grants);
  if (!busy.has(key)) {
    busy.add(key);
    throw new Refusal(500, 'database is locked');
  }
  ledger.storeKey(key, playerId);
});

// An INTEGER column of other databases, and `| 0` in JavaScript, have 32 bits.
const narrowQuantities = grantsWith((ledger, key, playerId, grants) => {
  const narrow = grants.map(({ sku, quantity }) => ({ sku, quantity: BigInt.asIntN(32, quantity) }));
  ledger.grantOnce(key, playerId, narrow);
});

// The unique constraint rejects a redelivery, and its error becomes a response.
const conflictRefused = grantsWith((ledger, key, playerId, grants) => {
  if (ledger.hasKey(key)) {
    throw new Refusal(409, 'already processed');
  }
  ledger.grantOnce(key, playerId, grants);
});

// The event ID can differ between deliveries of the same event.
const eventIdAsKey = {
  readEvent(body) {
    const event = readEvent(body);
    return { ...event, idempotency_key: event.event_id };
  },
};

// Takes all events of a transaction for one redemption, so that `item.add` and `coupon.redeemed` grant
// once. Two redemptions can share a transaction, too.
const pairedByTransaction = {
  readEvent(body) {
    const event = parsed(body);
    const isCredit = event?.event_type === 'item.add';
    checked(isCredit ? { ...event, event_type: 'coupon.redeemed' } : event);
    return { ...event, idempotency_key: event.transaction_id };
  },
};

// Some games lower the case of all IDs, so that people can type them.
const lowerCaseKeys = {
  readEvent(body) {
    const event = readEvent(body);
    return { ...event, idempotency_key: event.idempotency_key.toLowerCase() };
  },
};

// Only the first of `items` is granted.
const firstItemOnly = {
  readEvent(body) {
    const event = readEvent(body);
    event.event_data.items?.splice(1);
    return event;
  },
};

// An object by SKU keeps only the last quantity of an SKU that occurs twice.
const objectBySku = grantsWith((ledger, key, playerId, grants) => {
  const quantities = Object.fromEntries(grants.map(({ sku, quantity }) => [sku, quantity]));
  const unique = Object.entries(quantities).map(([sku, quantity]) => ({ sku, quantity }));
  ledger.grantOnce(key, playerId, unique);
});

// Grants what there is room for, and logs the rest.
const partSkipped = grantsWith((ledger, key, playerId, grants) => {
  const possible = grants.filter(({ sku }) => !ledger.isFull(playerId, sku));
  ledger.grantOnce(key, playerId, possible);
});

// A cache whose keys expire after a day.
const DAY_SECONDS = 86_400;
const expiries = new Map();
const keysExpire = grantsWith((ledger, key, playerId, grants) => {
  if (expiries.get(key) > unixSeconds()) return;
  ledger.add(playerId, grants);
  expiries.set(key, unixSeconds() + DAY_SECONDS);
});

// A queue in memory, whose jobs a restart loses.
const queuedInMemory = grantsWith((ledger, key, playerId, grants) => {
  setTimeout(() => {
    try {
      ledger.grantOnce(key, playerId, grants);
    } catch (error) {
      console.error(error.message);
    }
  }, 200);
});

export const FLAWS = {
  'parsed-first': parsedFirst,
  'small-limit': smallLimit,
  'content-type-compared': contentTypeCompared,
  'text-concatenated': textConcatenated,
  'headers-by-spelling': headersBySpelling,
  'parsed-timestamp': parsedTimestamp,
  'undefined-secret': undefinedSecret,
  'double-quantities': doubleQuantities,
  'answered-first': answeredFirst,
  'crashes-on-signature': crashesOnSignature,
  'conflict-ignored': conflictIgnored,
  'two-transactions': twoTransactions,
  'narrow-quantities': narrowQuantities,
  'conflict-refused': conflictRefused,
  'event-id-as-key': eventIdAsKey,
  'paired-by-transaction': pairedByTransaction,
  'lower-case-keys': lowerCaseKeys,
  'first-item-only': firstItemOnly,
  'object-by-sku': objectBySku,
  'part-skipped': partSkipped,
  'keys-expire': keysExpire,
  'queued-in-memory': queuedInMemory,
};
