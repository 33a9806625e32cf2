// What every answer says of itself, and how much a client may say before it is heard: over plain HTTP, with and without a good request.
import { createConnection } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Refused } from '../../../core/plugin/index.ts'
import { connectHttp, type Exchanged, type HttpClient, initialize, send } from '../data-plane/clients.ts'
import { authenticating, plugin, startTestGateway, type TestGateway } from '../data-plane/gateway.ts'

let gateway: TestGateway
let client: HttpClient
const refused: Refused[] = []
beforeAll(async () => {
  const watcher = plugin('watcher', [], { onRefused: one => void refused.push(one) })
  gateway = await startTestGateway({ servers: [], plugins: [watcher] })
  client = await connectHttp(gateway)
})
afterAll(() => gateway.stop())

const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
const opening = initialize('2025-06-18', '{}')
const answer = async (...given: [string, string, string | undefined, Record<string, string>]): Promise<Exchanged> =>
  (await send(gateway, ...given)).done

it.each<[string, number, () => Promise<{ status: number; headers: Exchanged['headers'] }>]>([
  ['an answer', 200, () => answer('POST', '/mcp', opening, json)],
  ['a notification that was taken', 202, () => client.post('{"jsonrpc":"2.0","method":"notifications/initialized"}')],
  ['a path that is not known', 404, () => answer('GET', '/nowhere', undefined, {})],
  ['a host that is not let in', 403, () => answer('POST', '/mcp', opening, { ...json, host: 'evil.example' })],
  ['a method that is none', 405, () => answer('PUT', '/mcp', undefined, {})],
  ['a body that is no JSON', 400, () => answer('POST', '/mcp', '{', json)],
])('%s is not to be kept, guessed at, or told who made it', async (_, status, ask) => {
  const { headers, status: found } = await ask()
  expect(found).toBe(status)
  expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  for (const name of ['server', 'x-powered-by', 'strict-transport-security', 'access-control-allow-origin'])
    expect(headers).not.toHaveProperty(name)
})

it('an event stream says the same', async () => {
  const stream = await client.listen()
  stream.drop()
  const { headers } = await stream.done
  expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'content-type': 'text/event-stream' })
})

function raw(text: string): Promise<string> {
  return new Promise(resolve => {
    const socket = createConnection(gateway.port, '127.0.0.1')
    let got = ''
    socket.on('data', chunk => {
      got += chunk
      if (got.includes('\r\n\r\n')) socket.end()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(got.split('\r\n', 1)[0] ?? ''))
    socket.write(text)
  })
}
const request = (more: string): string =>
  `POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\naccept: */*\r\ncontent-length: ${opening.length}\r\n${more}\r\n${opening}`

it('a hundred headers are heard, one more is refused, and no number of them hides what comes last', async () => {
  const many = (count: number): string => Array.from({ length: count }, (_, i) => `x${i}: y\r\n`).join('')
  expect(await raw(request(many(96)))).toBe('HTTP/1.1 200 OK')
  expect(await raw(request(many(97)))).toBe('HTTP/1.1 400 Bad Request')
  // Node would give the first 2000 only: the second Host among the others, or none of them at all.
  expect(await raw(request(`${'a:\r\n'.repeat(2100)}host: evil.example\r\n`))).toBe('HTTP/1.1 400 Bad Request')
})

it('headers over 16 KB are refused and on record', async () => {
  refused.length = 0
  expect(await raw(request(`x: ${'y'.repeat(17_000)}\r\n`))).toBe('HTTP/1.1 431 Request Header Fields Too Large')
  expect(refused).toMatchObject([{ code: 'invalid-request', reason: 'not HTTP: HPE_HEADER_OVERFLOW', status: 431 }])
})

it('a session is of the principal that opened it: with its id nobody else gets anywhere, and it goes on', async () => {
  const place = await startTestGateway({ servers: [], plugins: [authenticating] })
  try {
    const alice = await connectHttp(place, { headers: { authorization: 'alice' } })
    const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
    const asBob = { ...json, 'mcp-session-id': alice.sessionId, authorization: 'bob' }
    for (const [method, body] of [
      ['POST', ping],
      ['GET', undefined],
      ['DELETE', undefined],
    ] as const) {
      const { status } = await (await send(place, method, '/mcp', body, asBob)).done
      expect([403, 404]).toContain(status)
    }
    expect((await (await send(place, 'POST', '/mcp', ping, { ...asBob, authorization: 'alice' })).done).status).toBe(200)
  } finally {
    await place.stop()
  }
})
