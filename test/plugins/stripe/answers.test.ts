// How what Stripe says is understood: only its own words say that an event is counted, or that it is not.
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { Answer, Billing } from '../../../plugins/stripe/billing.ts'
import { createClient } from '../../../plugins/stripe/client.ts'

const servers: Server[] = []
const clients: Billing[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
})

async function connect(listener: RequestListener, api: 'v1' | 'v2' = 'v1', deadline = 2000): Promise<Billing> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const client = await createClient({ config: { apiKey: 'rk_test_x', api, host: '127.0.0.1', port, protocol: 'http' }, deadline })
  clients.push(client)
  return client
}

const meters = new Map([['calls', { id: 'mtr_1', customerKey: 'stripe_customer_id', valueKey: 'value' }]])
const event = { event: 'calls', customer: 'cus_1', identifier: 'id-1', value: 3, timestamp: 1_795_867_199 }
const send = (client: Billing): Promise<Answer> => client.send([event], meters)
const says =
  (status: number, body: string | object, headers: Record<string, string> = {}): RequestListener =>
  (_, response) =>
    void response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body))
const error = (type: string, message: string, code?: string): object => ({ error: { type, message, code } })
const counted = { object: 'billing.meter_event', identifier: 'id-1', event_name: 'calls' }

test.each<[string, RequestListener, object]>([
  ['takes it', says(200, counted), { kind: 'counted' }],
  ['has it already', says(400, error('invalid_request_error', 'An event already exists with identifier id-1.')), { kind: 'counted' }],
  ['has it already, by code', says(400, error('invalid_request_error', 'no', 'duplicate_meter_event')), { kind: 'counted' }],
  [
    'has another one already',
    says(400, error('invalid_request_error', 'An event already exists with identifier id-2.')),
    { kind: 'refused' },
  ],
  ['refuses it', says(400, error('invalid_request_error', 'No such customer')), { kind: 'refused' }],
  [
    'is asked too often',
    says(429, error('invalid_request_error', 'slow down', 'rate_limit'), { 'retry-after': '3' }),
    { kind: 'later', isSure: true, after: 3000 },
  ],
  [
    'asks for years of patience',
    says(429, error('rate_limit', 'slow down'), { 'retry-after': '99999999' }),
    { kind: 'later', after: 3_600_000 },
  ],
  ['does not know the key', says(401, error('invalid_request_error', 'Invalid API Key')), { kind: 'later', isSure: true }],
  ['fails', says(500, error('api_error', 'oops')), { kind: 'later', isSure: false }],
  ['meets another request', says(409, error('idempotency_error', 'in progress')), { kind: 'later', isSure: false }],
  ['is a proxy that fails', says(502, '<h1>Bad Gateway</h1>'), { kind: 'later', isSure: false }],
  ['is a proxy that refuses', says(400, '<h1>Bad Request</h1>'), { kind: 'later', isSure: false }],
  ['answers about another event', says(200, { ...counted, identifier: 'id-2' }), { kind: 'later', isSure: false }],
  ['answers with an error that is none', says(200, error('x', 'y')), { kind: 'later', isSure: false }],
  ['refuses without an error', says(400, {}), { kind: 'later', isSure: false }],
  ...['1', '"x"', 'null', '[]', '', '{', '{"error":"x"}', '{"error":null}', '\u0000'].map((body): [string, RequestListener, object] => [
    `answers ${JSON.stringify(body)}`,
    says(200, body),
    { kind: 'later', isSure: false },
  ]),
  ['ends the connection', (_, response) => void response.socket?.destroy(), { kind: 'later', isSure: false }],
  [
    'never ends its answer',
    (_, response) => void response.writeHead(200, { 'content-length': '9' }).write('{'),
    { kind: 'later', isSure: false },
  ],
  [
    'answers without end',
    (_, response) => {
      response.writeHead(200)
      // By turns of the event loop: what is written to nobody may be called back at once.
      const more = (error?: Error | null): void =>
        void (error || response.destroyed || response.write('x'.repeat(65_536), failed => void setImmediate(more, failed)))
      more()
    },
    { kind: 'later', isSure: false },
  ],
])('v1: Stripe %s', async (_, listener, expected) => {
  expect(await send(await connect(listener, 'v1', 700))).toMatchObject(expected)
})

test('where nobody listens, nothing was sent', async () => {
  const client = await connect(says(200, counted))
  servers[0]!.closeAllConnections()
  await new Promise(resolve => servers.pop()!.close(resolve))
  expect(await send(client)).toMatchObject({ kind: 'later', isSure: true, why: 'ECONNREFUSED' })
})

test('a request is made once, also where its connection is ended', async () => {
  let requests = 0
  const client = await connect((_, response) => {
    requests += 1
    response.socket?.destroy()
  })
  await send(client)
  expect(requests).toBe(1)
})

test('the form of an event, and no key to repeat it by: Stripe would answer the first error again', async () => {
  const seen: { headers: Record<string, unknown>; body: string }[] = []
  const client = await connect((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      seen.push({ headers: request.headers, body })
      response.end(JSON.stringify(counted))
    })
  })
  await send(client)
  await send(client)
  expect(Object.fromEntries(new URLSearchParams(seen[0]!.body))).toEqual({
    event_name: 'calls',
    identifier: 'id-1',
    timestamp: '1795867199',
    'payload[stripe_customer_id]': 'cus_1',
    'payload[value]': '3',
  })
  expect(seen[0]!.headers.authorization).toBe('Bearer rk_test_x')
  expect(seen[0]!.headers).not.toHaveProperty('x-stripe-client-telemetry')
  const keys = seen.map(({ headers }) => headers['idempotency-key'])
  expect(keys[0] === undefined || keys[0] !== keys[1]).toBe(true)
})

describe('v2', () => {
  const session = { object: 'v2.billing.meter_event_session', authentication_token: 'token-1' }
  const byPath =
    (stream: RequestListener, open: RequestListener = says(200, session)): RequestListener =>
    (request, response) =>
      request.url === '/v2/billing/meter_event_session' ? open(request, response) : stream(request, response)

  test.each<[string, RequestListener, object]>([
    ['takes them', byPath(says(200, {})), { kind: 'counted' }],
    ['answers about something else', byPath(says(200, { object: 'dog' })), { kind: 'later', isSure: false }],
    ['says that the session is over', byPath(says(401, error('temporary_session_expired', 'over'))), { kind: 'later', isSure: true }],
    ['fails', byPath(says(500, error('api_error', 'oops'))), { kind: 'later', isSure: false }],
    ['opens no session', byPath(says(200, {}), says(500, error('api_error', 'oops'))), { kind: 'later', isSure: true }],
    ['opens a session without a token', byPath(says(200, {}), says(200, {})), { kind: 'later', isSure: true }],
  ])('Stripe %s', async (_, listener, expected) => {
    expect(await send(await connect(listener, 'v2'))).toMatchObject(expected)
  })
})

test.each(['{"object":"dog"}', '{"object":"list","data":[{"object":"dog","aggregated_value":0}]}', '{"data":5}', '1', ''])(
  'no sum is read from %s',
  async body => {
    const client = await connect(says(200, body))
    await expect(client.sum(meters.get('calls')!, 'cus_1', 0, 3_600_000)).rejects.toThrow()
  },
)
