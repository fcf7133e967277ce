// Reads an event, and says what it grants. Whole numbers are BigInt, since a quantity beyond 2^53
// would be another one as a Number.

import { isInteger, parse } from 'lossless-json';

import { Refusal } from './refusal.js';

export const LARGEST_QUANTITY = 2n ** 63n - 1n;

const utf8 = new TextDecoder('utf-8', { fatal: true });

const number = (digits) => (isInteger(digits) ? BigInt(digits) : Number(digits));

function expected(holds, what) {
  if (!holds) {
    throw new Refusal(400, `${what} was expected`);
  }
}

const isText = (value) => typeof value === 'string' && value !== '';
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

export function readEvent(body) {
  let event;
  try {
    event = parse(utf8.decode(body), null, number);
  } catch {
    throw new Refusal(400, 'not JSON');
  }
  return checked(event);
}

// What decides nothing here, such as names, prices and the context, is not looked at.
export function checked(event) {
  expected(isObject(event), 'an event');
  expected(event.event_type === 'coupon.redeemed', 'event_type coupon.redeemed');
  expected(isText(event.idempotency_key), 'idempotency_key');
  expected(isObject(event.event_data), 'event_data');
  expected(isText(event.event_data.player_id), 'player_id');
  return event;
}

export function counts(event) {
  return event.sandbox !== true && event.trigger !== 'test';
}

export function grantsOf(event) {
  const { item, items } = event.event_data;
  const granted = Array.isArray(items) && items.length > 0 ? items : [item];
  return granted.flatMap((one) => leaves(one, 1n));
}

function leaves(item, times) {
  expected(isObject(item), 'an item');
  expected(isText(item.sku), 'sku');
  const quantity = times * whole(item.quantity);
  expected(quantity >= 0n && quantity <= LARGEST_QUANTITY, 'a quantity of 64 bits');
  const nested = item.nested_items;
  if (item.type === 'bundle' && Array.isArray(nested) && nested.length > 0) {
    return nested.flatMap((inner) => leaves(inner, quantity));
  }
  return [{ sku: item.sku, quantity }];
}

function whole(value) {
  expected(typeof value === 'bigint' || Number.isSafeInteger(value), 'a whole quantity');
  return BigInt(value);
}
