// What Node would answer by itself is answered as everything else: with the headers of every answer, in the form of our errors, telling nothing of the inside.
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Refused } from '../../../core/plugin/index.ts'
import { plugin, startTestGateway, type TestGateway } from '../data-plane/gateway.ts'

let gateway: TestGateway
const refused: Refused[] = []
beforeAll(async () => {
  gateway = await startTestGateway({ servers: [], plugins: [plugin('watcher', [], { onRefused: one => void refused.push(one) })] })
})
afterAll(() => gateway.stop())
beforeEach(() => {
  refused.length = 0
})

/** Everything that comes until the gateway closes the connection, which we keep open. */
function say(text: string): Promise<string> {
  return new Promise(resolve => {
    const socket = connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true })
    let got = ''
    socket.on('data', chunk => (got += chunk))
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
    socket.on('close', () => resolve(got))
    socket.write(text, 'latin1')
  })
}

function read(got: string): {
  status: string
  headers: Record<string, string>
  body: { error: { code: number; message: string; data: unknown } }
} {
  const [head = '', body = ''] = got.split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(lines.map(line => [line.split(': ')[0]!.toLowerCase(), line.slice(line.indexOf(': ') + 2)]))
  expect(Number(headers['content-length'])).toBe(Buffer.byteLength(body))
  return { status: first, headers, body: JSON.parse(body) }
}

const host = 'host: 127.0.0.1\r\n'
const cases: [string, string, string, string][] = [
  ['what is no HTTP', 'hello hunter2\r\n\r\n', '400 Bad Request', 'not a valid HTTP request'],
  ['a request without Host', 'GET /healthz HTTP/1.1\r\n\r\n', '400 Bad Request', 'the message is not a valid JSON-RPC request'],
  [
    'headers over the limit',
    `GET /healthz HTTP/1.1\r\n${host}x: ${'hunter2'.repeat(3000)}\r\n\r\n`,
    '431 Request Header Fields Too Large',
    'the headers are larger than the limit',
  ],
  [
    'an expectation that is not known',
    `POST /mcp HTTP/1.1\r\n${host}expect: hunter2\r\ncontent-length: 5\r\n\r\n`,
    '417 Expectation Failed',
    'of Expect only 100-continue is understood',
  ],
  ['headers that do not end in time', `GET /healthz HTTP/1.1\r\n${host}x: hunter2`, '408 Request Timeout', 'no request in time'],
]

describe.concurrent('the last word on a connection', () => {
  it.each(cases)('for %s is ours, and then it is closed', async (_, text, status, message) => {
    const got = await say(text)
    const answer = read(got)
    expect(answer.status).toBe(`HTTP/1.1 ${status}`)
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-type': 'application/json',
      connection: 'close',
    })
    expect(answer.body).toMatchObject({
      jsonrpc: '2.0',
      id: null,
      error: { code: -32600, message, data: { mcpgw: { code: 'invalid-request' } } },
    })
    expect(got).not.toMatch(/hunter2|HPE_|node/i)
  })
})

it('what is refused so is on record with its status', async () => {
  await say('hello\r\n\r\n')
  expect(refused).toMatchObject([
    { code: 'invalid-request', reason: expect.stringContaining('not HTTP: HPE_'), status: 400, ip: '127.0.0.1' },
  ])
})

it('nothing is put behind an answer that is owed, where it would be taken for it', async () => {
  const open = `POST /mcp HTTP/1.1\r\n${host}content-type: application/json\r\naccept: */*\r\ntransfer-encoding: chunked\r\n\r\n`
  expect(await say(`${open}zz\r\n`)).toBe('')
  expect(refused).toMatchObject([{ code: 'invalid-request', reason: 'not HTTP: HPE_INVALID_CHUNK_SIZE' }])
})

it('who has said nothing is told nothing, and TLS on a port without it is refused as what is no HTTP', async () => {
  const socket = connectTls({ port: gateway.port, host: '127.0.0.1' })
  await new Promise(resolve => socket.on('error', resolve))
  expect(refused).toMatchObject([{ status: 400 }])
})
