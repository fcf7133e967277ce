// Mistakes that are typical of Express handlers. Each replaces steps of the sound receiver through
// the
// third parameter of `createApp`. Do not copy this code.

import express from 'express';

import { checked, isGranted, grantsFor } from './event.js';

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

export const FLAWS = {
  'parsed-first': parsedFirst,
  'double-quantities': doubleQuantities,
  'answered-first': answeredFirst,
};
