// Stands for your game: a sound receiver of coupon.redeemed, with inventories in memory.
//
// GAME_BUG shows how tests fail: `grants_again` ignores the idempotency key, `wrong_secret` is a mistake
// in the set-up.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const BUG = process.env.GAME_BUG;
const TOLERANCE_SECONDS = 300;

function isGenuine(secret, headers, body) {
  const signatures = headers['x-aghanim-signature'] ?? [];
  const timestamps = headers['x-aghanim-signature-timestamp'] ?? [];
  if (signatures.length !== 1 || timestamps.length !== 1) return false;
  const [timestamp] = timestamps;
  const age = Date.now() / 1000 - Number(timestamp);
  if (!/^[0-9]{1,12}$/.test(timestamp) || Math.abs(age) > TOLERANCE_SECONDS) return false;
  const hmac = createHmac('sha256', secret).update(`${timestamp}.`).update(body);
  const expected = Buffer.from(hmac.digest('hex'));
  const signature = Buffer.from(signatures[0], 'latin1');
  return signature.length === expected.length && timingSafeEqual(signature, expected);
}

// The items of a bundle instead of the bundle.
function contents(item, times = 1) {
  const quantity = item.quantity * times;
  if (!Number.isSafeInteger(quantity)) throw new RangeError('quantity too large');
  if (item.type === 'bundle' && item.nested_items?.length > 0) {
    return item.nested_items.flatMap((nested) => contents(nested, quantity));
  }
  return [{ sku: item.sku, quantity }];
}

export function createGame(secret) {
  if (BUG === 'wrong_secret') secret = 'another';
  const granted = new Set();
  const inventory = new Map();
  const slot = (playerId, sku) => JSON.stringify([playerId, sku]);

  // Nothing is awaited in here, so no other delivery comes between.
  function grantOnce({ event_data: data, idempotency_key: key }) {
    const items = data.items?.length > 0 ? data.items : [data.item];
    const parts = items.flatMap((item) => contents(item));
    if (granted.has(key) && BUG !== 'grants_again') return;
    granted.add(key);
    for (const { sku, quantity } of parts) {
      const at = slot(data.player_id, sku);
      inventory.set(at, (inventory.get(at) ?? 0) + quantity);
    }
  }

  async function webhook(request) {
    const body = Buffer.concat(await request.toArray());
    if (!isGenuine(secret, request.headersDistinct, body)) return [403, { error: 'invalid signature' }];
    try {
      const event = JSON.parse(body);
      const isLive = !event.sandbox && event.trigger !== 'test';
      if (event.event_type === 'coupon.redeemed' && isLive) grantOnce(event);
    } catch {
      return [400, { error: 'not an event' }];
    }
    return [200, { status: 'ok' }];
  }

  return createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost');
    let answer = [404, { error: 'no such path' }];
    try {
      if (pathname === '/webhooks/aghanim') answer = await webhook(request);
      if (pathname === '/debug/quantity') {
        const held = inventory.get(slot(searchParams.get('player'), searchParams.get('sku')));
        answer = [200, { quantity: held ?? 0 }];
      }
    } catch {
      return; // The body was cut short, and nobody waits for a response.
    }
    response.writeHead(answer[0], { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(answer[1]));
  });
}
