// A receiver of Aghanim's `coupon.redeemed` webhook in Express.
//
// The policy of this game:
// - A bundle is opened: it grants its nested items, their quantities multiplied by the bundle's.
// - Sandbox and test events are answered with 200 and grant nothing.
// - A signature is valid if its timestamp is within five minutes of our clock.
// - If there is no room for the main item, its fallback is granted.
// - If the event has `items`, they are granted, otherwise `item`.

import { createHmac, timingSafeEqual } from 'node:crypto';

import express from 'express';
import { stringify } from 'lossless-json';

import { shiftClock, unixSeconds } from './clock.js';
import { isGranted, grantsFor, readEvent, useFallbacks } from './event.js';
import { Refusal } from './refusal.js';

export const HOOK_PATH = '/webhooks/aghanim';
const TOLERANCE_SECONDS = 300;

// The signature covers the raw bytes, so they must not be parsed or inflated first.
export const rawBody = express.raw({ type: () => true, inflate: false, limit: '1mb' });

export function isFresh(timestamp) {
  const age = unixSeconds() - Number(timestamp);
  return /^[0-9]{1,12}$/.test(timestamp) && Math.abs(age) <= TOLERANCE_SECONDS;
}

export function verify(secret, headers, body, isFreshTimestamp = isFresh) {
  const signatures = headers['x-aghanim-signature'] ?? [];
  const timestamps = headers['x-aghanim-signature-timestamp'] ?? [];
  if (signatures.length !== 1 || timestamps.length !== 1) {
    throw new Refusal(403, 'one signature and one timestamp, please');
  }
  const [timestamp] = timestamps;
  const expected = Buffer.from(
    createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex'),
  );
  const signature = Buffer.from(signatures[0], 'latin1');
  // timingSafeEqual throws if the lengths differ.
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
    throw new Refusal(403, 'invalid signature');
  }
  if (!isFreshTimestamp(timestamp)) {
    throw new Refusal(403, 'the timestamp is invalid or not fresh');
  }
}

// Grants the event once and then responds.
export function take(ledger, event, response, status) {
  if (isGranted(event)) {
    ledger.grantOnce(event.idempotency_key, event.event_data.player_id, grantsFor(event));
  }
  response.status(status).json({ status: 'ok' });
}

// `steps` replaces steps of handling a delivery; the default is the sound implementation.
export function createApp(secret, ledger, steps = {}) {
  const sound = {
    bodyParser: rawBody,
    bytesOf: (request) => request.body,
    headersOf: (request) => request.headersDistinct,
    verify,
    readEvent,
    take,
  };
  const handling = { ...sound, ...steps };
  const scripted = new Map();
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');

  app.post(HOOK_PATH, handling.bodyParser, (request, response) => {
    // Without a body, the parser leaves nothing.
    const body = handling.bytesOf(request) ?? Buffer.alloc(0);
    handling.verify(secret, handling.headersOf(request), body);
    const event = handling.readEvent(body);
    const playerId = event.event_data.player_id;
    useFallbacks(event, (sku) => !ledger.isFull(playerId, sku));
    const status = scripted.get(playerId)?.shift() ?? 200;
    if (status < 200 || status > 299) {
      throw new Refusal(status, 'scripted');
    }
    return handling.take(ledger, event, response, status);
  });

  // For tests, on loopback alone.
  app.get('/debug/players/:playerId/items/:sku', (request, response) => {
    const { playerId, sku } = request.params;
    response.type('json').send(stringify({ quantity: ledger.quantity(playerId, sku) }));
  });

  app.put('/debug/players/:playerId/respond', express.json(), (request, response) => {
    const statuses = request.body;
    const isStatus = (status) => Number.isInteger(status) && status >= 200 && status <= 599;
    if (!Array.isArray(statuses) || !statuses.every(isStatus)) {
      throw new Refusal(400, 'a list of statuses was expected');
    }
    scripted.set(request.params.playerId, statuses);
    response.sendStatus(204);
  });

  app.put('/debug/players/:playerId/items/:sku/full', (request, response) => {
    ledger.setFull(request.params.playerId, request.params.sku, true);
    response.sendStatus(204);
  });

  app.delete('/debug/players/:playerId/items/:sku/full', (request, response) => {
    ledger.setFull(request.params.playerId, request.params.sku, false);
    response.sendStatus(204);
  });

  app.post('/debug/clock/:seconds', (request, response) => {
    shiftClock(Number(request.params.seconds));
    response.sendStatus(204);
  });

  // Express recognises an error handler by its four parameters.
  // eslint-disable-next-line no-unused-vars
  app.use((error, request, response, next) => {
    const status = error.status ?? 500;
    if (status >= 500 && !(error instanceof Refusal)) {
      console.error(error);
    }
    response.status(status).json({ error: status < 500 ? error.message : 'internal error' });
  });

  return app;
}
