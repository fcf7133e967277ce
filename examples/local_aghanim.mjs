// A game at a local Aghanim: registers its webhook, creates an item and a coupon, redeems the code as a
// player, and verifies the webhook that arrives.
//
//     aghook serve                                                # prints the API key
//     AGHANIM_API_KEY=… node examples/local_aghanim.mjs
//
// AGHANIM_URL is the server (http://127.0.0.1:4600), PORT the game's own port (8080). The set-up can run
// again: it uses what exists. Exits with 1 if something is wrong. Needs Node 18, and nothing else.

import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'

const { AGHANIM_URL = 'http://127.0.0.1:4600', AGHANIM_API_KEY, PORT = '8080' } = process.env
const TOLERANCE_SECONDS = 300

const ITEM = {
  sku: 'example-gems',
  name: 'Gems',
  type: 'item',
  currency: 'USD',
  is_stackable: true,
  is_currency: false,
}
const CODE = 'EXAMPLE'
const QUANTITY = 25

async function call(method, path, body) {
  const headers = { Authorization: `Bearer ${AGHANIM_API_KEY}` }
  if (body) headers['Content-Type'] = 'application/json'
  const response = await fetch(AGHANIM_URL + path, {
    method,
    headers,
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  })
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  return response.json()
}

async function findOrCreate(path, key, body) {
  const existing = await call('GET', `${path}?limit=1000`)
  return existing.find((other) => other[key] === body[key]) ?? call('POST', path, body)
}

// The signature is over the timestamp, a dot and the body as it arrived.
function isGenuine(headers, body, secret) {
  const timestamp = headers['x-aghanim-signature-timestamp'] ?? ''
  const signature = Buffer.from(headers['x-aghanim-signature'] ?? '')
  const digest = createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex')
  const expected = Buffer.from(digest)
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) return false
  return Math.abs(Date.now() / 1000 - Number(timestamp)) <= TOLERANCE_SECONDS
}

// Grants each event once. A real game keeps the keys and the grants in one transaction.
class Game {
  #keys = new Set()

  constructor(secret) {
    this.secret = secret
  }

  // Returns the status and the body of the response, and the event if it was granted.
  handle(headers, body) {
    if (!isGenuine(headers, body, this.secret)) return [403, { status: 'error', message: 'invalid signature' }]
    const event = JSON.parse(body)
    if (event.event_type !== 'coupon.redeemed') return [400, { status: 'error', message: 'unknown event type' }]
    const isNew = !this.#keys.has(event.idempotency_key)
    this.#keys.add(event.idempotency_key)
    return [200, { status: 'ok' }, isNew && event]
  }
}

// Emits `granted` with each event that was granted.
async function start(game) {
  const server = createServer(async (request, response) => {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const [status, result, event] = game.handle(request.headers, Buffer.concat(chunks))
    response.writeHead(status, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify(result), () => event && server.emit('granted', event))
  })
  await once(server.listen(Number(PORT), '127.0.0.1'), 'listening')
  return server
}

async function main() {
  const webhook = await findOrCreate('/s2s/v1/webhooks', 'url', {
    url: `http://127.0.0.1:${PORT}/webhooks/aghanim`,
    events: ['coupon.redeemed'],
    method: 'POST',
  })
  const { secret } = await call('POST', `/s2s/v1/webhooks/${webhook.id}/reveal`)
  const item = await findOrCreate('/s2s/v1/items', 'sku', ITEM)
  const free_items = { items: [{ item_id: item.id, quantity: QUANTITY }] }
  await findOrCreate('/s2s/v1/coupons', 'code', { name: 'Example', code: CODE, type: 'free_item', free_items })

  const server = await start(new Game(secret))
  const player = `P-${randomUUID()}`
  const arrival = once(server, 'granted', { signal: AbortSignal.timeout(10_000) })
  await call('POST', '/local/redeem', { player_id: player, code: CODE })
  const [event] = await arrival.catch(() => {
    throw new Error('no genuine webhook arrived within 10 s; look at the dashboard')
  })
  const { player_id, coupon, item: granted } = event.event_data
  const arrived = [player_id, coupon.code, granted.sku, granted.quantity].join(' ')
  if (arrived !== [player, CODE, ITEM.sku, QUANTITY].join(' ')) throw new Error(`unexpected event: ${arrived}`)
  console.log(`${event.event_type} ${event.event_id}: ${QUANTITY} ${ITEM.sku} for ${player}`)
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error.cause ? `${error.message}: ${error.cause.message}` : error.message)
    process.exit(1)
  },
)
