// Mistakes that are typical of Express handlers. Each replaces steps of the sound receiver through the
// third parameter of `createApp`. Do not copy this code.

import express from 'express';

import { checked, isGranted, grantsFor, readEvent } from './event.js';
import { verify } from './receiver.js';
import { Refusal } from './refusal.js';

// Most programs start with `app.use(express.json())`. Then the body is already parsed, and the
// signature is verified over the JSON that is serialised from it.
const parsedFirst = {
  bodyParser: express.json({ limit: '1mb' }),
  bytesOf: (request) => request.body && Buffer.from(JSON.stringify(request.body)),
};

// JSON.parse makes doubles of all numbers, and no double equals 9007199254740993.
const doubleQuantities = {
  readEvent: (body) => checked(JSON.parse(body.toString())),
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

export const FLAWS = {
  'parsed-first': parsedFirst,
  'double-quantities': doubleQuantities,
  'answered-first': answeredFirst,
  'crashes-on-signature': crashesOnSignature,
  'conflict-ignored': conflictIgnored,
  'two-transactions': twoTransactions,
  'narrow-quantities': narrowQuantities,
  'conflict-refused': conflictRefused,
  'event-id-as-key': eventIdAsKey,
};
