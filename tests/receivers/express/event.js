// Parses events and returns what they grant. Integers become BigInt, since a Number can't represent
// every quantity above 2^53.

import { isInteger, parse } from 'lossless-json';

import { Refusal } from './refusal.js';

export const LARGEST_QUANTITY = 2n ** 63n - 1n;

const utf8 = new TextDecoder('utf-8', { fatal: true });

const number = (digits) => (isInteger(digits) ? BigInt(digits) : Number(digits));

function expect(isValid, what) {
  if (!isValid) {
    throw new Refusal(400, `${what} was expected`);
  }
}

const isNonEmptyString = (value) => typeof value === 'string' && value !== '';
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

export function parsed(body) {
  try {
    return parse(utf8.decode(body), null, number);
  } catch {
    throw new Refusal(400, 'not JSON');
  }
}

export const readEvent = (body) => checked(parsed(body));

// Ignores what does not affect the grant, such as names, prices and the context.
export function checked(event) {
  expect(isObject(event), 'an event');
  expect(event.event_type === 'coupon.redeemed', 'event_type coupon.redeemed');
  expect(isNonEmptyString(event.idempotency_key), 'idempotency_key');
  expect(isObject(event.event_data), 'event_data');
  expect(isNonEmptyString(event.event_data.player_id), 'player_id');
  return event;
}

export function isGranted(event) {
  return event.sandbox !== true && event.trigger !== 'test';
}

export function grantsFor(event) {
  const { item, items } = event.event_data;
  const grantedItems = Array.isArray(items) && items.length > 0 ? items : [item];
  return grantedItems.flatMap((item) => leaves(item, 1n));
}

// Replaces each item by its fallback if there is no room for it.
export function useFallbacks(event, hasRoom) {
  const usable = (item) => {
    const fallback = item?.fallback_item;
    const fits = !fallback || leaves(item, 1n).every(({ sku }) => hasRoom(sku));
    return fits ? item : usable(fallback);
  };
  const data = event.event_data;
  data.item = usable(data.item);
  data.items = Array.isArray(data.items) ? data.items.map(usable) : data.items;
}

function leaves(item, times) {
  expect(isObject(item), 'an item');
  expect(isNonEmptyString(item.sku), 'sku');
  const quantity = times * integer(item.quantity);
  expect(quantity >= 0n && quantity <= LARGEST_QUANTITY, 'a quantity of 64 bits');
  const nested = item.nested_items;
  if (item.type === 'bundle' && Array.isArray(nested) && nested.length > 0) {
    return nested.flatMap((inner) => leaves(inner, quantity));
  }
  return [{ sku: item.sku, quantity }];
}

function integer(value) {
  expect(typeof value === 'bigint' || Number.isSafeInteger(value), 'a whole quantity');
  return BigInt(value);
}
