// Makes autocannon send unique, signed events, built in its hook for each request.
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const autocannon = createRequire(join(process.cwd(), process.env.PEERS_AUTOCANNON, 'x.js'))('autocannon')
const secret = process.env.AGHOOK_SECRET
const [, before, id, after] =
  /^(.*"event_id":"whevt_)([^"]+)(.*)$/s.exec(readFileSync(process.env.PEERS_BODY, 'utf8'))

let number = 0
function setupRequest(request) {
  number += 1
  const body = before + String(number).padStart(id.length, '0') + after
  const timestamp = String(Math.floor(Date.now() / 1000))
  request.body = body
  request.headers = {
    'Content-Type': 'application/json',
    'X-Aghanim-Signature': createHmac('sha256', secret).update(timestamp + '.' + body).digest('hex'),
    'X-Aghanim-Signature-Timestamp': timestamp,
  }
  return request
}

const result = await autocannon({
  url: process.env.PEERS_URL,
  connections: Number(process.env.PEERS_CONNECTIONS),
  duration: Number(process.env.PEERS_SECONDS),
  requests: [{ method: 'POST', path: process.env.PEERS_PATH, setupRequest }],
})
console.log(`${result['2xx']} responses with 2xx, ${result.non2xx} others, ${result.errors} errors`)
