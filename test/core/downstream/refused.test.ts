// Whatever is refused before there is an exchange reaches the plugins: once, with its code, and with nothing of credentials and bodies.
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Refused } from '../../../core/plugin/index.ts'
import { connectHttp, type HttpClient, openStdio, send } from '../data-plane/clients.ts'
import { plugin, startTestGateway, type TestGateway, until } from '../data-plane/gateway.ts'

const heard: Refused[] = []
const listening = plugin('ear', ['records'], { onRefused: refused => void heard.push(refused), onSettled() {} })
const doorkeeper = plugin('door', [], {
  onConnection: () => (closed ? { kind: 'deny', code: 'denied', reason: 'not from there', rules: ['night'] } : { kind: 'pass' }),
})
let closed = false

const SECRET = 'Bearer hunter2-hunter2'
const common = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: SECRET }
const ping = '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"token":"hunter2-hunter2"}}'
const modern = (version: string, more = ''): string =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"${version}"${more}}}}`

interface Case {
  readonly name: string
  readonly method?: string
  readonly path?: string
  readonly body?: string
  readonly headers?: Record<string, string>
  readonly expected: Partial<Refused>
}
const cases: Case[] = [
  { name: 'a foreign Host', headers: { host: 'evil.example' }, expected: { code: 'forbidden-host', status: 403 } },
  { name: 'a foreign Origin', headers: { origin: 'https://evil.example' }, expected: { code: 'forbidden-host', status: 403 } },
  { name: 'an unknown path', path: '/admin/x?key=hunter2-hunter2', expected: { code: 'not-found', status: 404, path: '/admin/x' } },
  { name: 'an unknown server', path: '/mcp/nobody', expected: { code: 'not-found', status: 404, path: '/mcp/nobody' } },
  { name: 'another HTTP method', method: 'PUT', expected: { code: 'method-not-allowed', status: 405, method: 'PUT' } },
  { name: 'nothing acceptable', headers: { accept: 'text/html' }, expected: { code: 'not-acceptable', status: 406 } },
  { name: 'another content type', headers: { 'content-type': 'text/plain' }, expected: { code: 'media-type', status: 415 } },
  { name: 'a body over the limit', body: `"${'a'.repeat(5000)}"`, expected: { code: 'too-large', status: 413 } },
  { name: 'no JSON', body: '{"hunter2-hunter2"', expected: { code: 'parse-error', status: 400, reason: 'unexpected end at byte 18' } },
  { name: 'no JSON-RPC', body: '{"jsonrpc":"2.0","Method":"hunter2-hunter2"}', expected: { code: 'invalid-request', status: 400 } },
  { name: 'no session', body: ping, expected: { code: 'session-missing', status: 400, action: 'ping' } },
  {
    name: 'an unknown session',
    headers: { 'mcp-session-id': 'nobody' },
    expected: { code: 'session-unknown', status: 404, action: 'ping' },
  },
  { name: 'no session for a stream', method: 'GET', expected: { code: 'session-missing', status: 400, method: 'GET' } },
  {
    name: 'a version that does not exist',
    body: modern('2099-01-01', ',"io.modelcontextprotocol/clientCapabilities":{}'),
    headers: { 'mcp-protocol-version': '2099-01-01' },
    expected: { code: 'unsupported-version', status: 400, action: 'tools/list' },
  },
  {
    name: 'a header of another version',
    body: '{"jsonrpc":"2.0","id":1,"method":"initialize"}',
    headers: { 'mcp-protocol-version': '2026-07-28' },
    expected: { code: 'header-mismatch', status: 400, action: 'initialize' },
  },
  { name: 'an envelope that is none', body: modern('2026-07-28'), expected: { code: 'invalid-params', status: 400 } },
  { name: 'a batch of the newest revision', body: `[${modern('2026-07-28')}]`, expected: { code: 'batch-refused', status: 400 } },
]

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startTestGateway({ servers: [], plugins: [listening, doorkeeper], limits: { messageBytes: 4096 } })
})
afterAll(() => gateway.stop())
beforeEach(() => {
  heard.length = 0
  closed = false
})

describe('over HTTP the plugins hear of', () => {
  it('of what may be a key in the path, only how it begins is told', async () => {
    const key = 'mgk_k7m2p9x4_hunter2-hunter2-hunter2-hunter2-hunter2'
    const paths = [`/mcp/${key}`, `/${key}/sse`, `/mcp/${'a'.repeat(32)}x?key=${key}`, `/${'b'.repeat(32)}`]
    for (const path of paths) expect((await (await send(gateway, 'POST', path, ping, common)).done).status).toBe(404)
    expect(heard.map(({ path }) => path)).toEqual(['/mcp/mgk_k7m2…', '/mgk_k7m2…/sse', '/mcp/aaaaaaaa…', `/${'b'.repeat(32)}`])
  })

  it.each(cases)('$name', async ({ method = 'POST', path = '/mcp', body = ping, headers, expected }) => {
    const sent = method === 'GET' ? undefined : body
    const { status } = await (await send(gateway, method, path, sent, { ...common, ...headers })).done
    await until(() => heard.length > 0)
    expect(heard).toEqual([
      expect.objectContaining({ method, path: path.split('?')[0], transport: 'http', ip: '127.0.0.1', by: ['default'], ...expected }),
    ])
    expect(status).toBe(expected.status)
    expect(JSON.stringify(heard)).not.toContain('hunter2')
  })

  it('a batch outside of 2025-03-26, and of what in a batch is no message', async () => {
    const newer = await connectHttp(gateway, { version: '2025-11-25' })
    await newer.post(`[${ping}]`)
    const older: HttpClient = await connectHttp(gateway, { version: '2025-03-26' })
    await older.post(`[${ping},{"no":"message"},[${ping}]]`)
    expect(heard.map(({ code }) => code)).toEqual(['batch-refused', 'invalid-request', 'invalid-request'])
  })

  it('a connection that another plugin refuses, by the rule that it names', async () => {
    closed = true
    const socket = connect(gateway.port, '127.0.0.1')
    socket.resume()
    await once(socket, 'close')
    expect(heard).toEqual([{ code: 'denied', reason: 'not from there', by: ['door/night'], transport: 'http', ip: '127.0.0.1' }])
  })

  it('a connection on which there is no HTTP', async () => {
    const socket = connect(gateway.port, '127.0.0.1')
    socket.end('SSH-2.0-hunter2-hunter2\r\n\r\n')
    socket.resume()
    await once(socket, 'close')
    expect(heard).toEqual([
      {
        code: 'invalid-request',
        reason: expect.stringMatching(/^not HTTP: HPE_/),
        by: ['default'],
        transport: 'http',
        ip: '127.0.0.1',
        status: 400,
      },
    ])
  })

  it('texts of the client cut to 200 characters', async () => {
    await (await send(gateway, 'POST', '/a'.repeat(1000), ping, common)).done
    expect(heard[0]!.path).toHaveLength(201)
  })

  it('nothing where nothing was refused, and nothing twice where an exchange was', async () => {
    const client = await connectHttp(gateway)
    await client.ask('ping')
    await client.ask('tools/call', { name: 'none' })
    await client.end()
    expect(heard).toEqual([])
  })

  it.each(['/mcp', '/tools/up__echo/call'])('requests for %s while the gateway stops', async path => {
    const stopping = await startTestGateway({ servers: [], plugins: [listening] })
    const held = await connectHttp(stopping)
    const socket = connect(stopping.port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(`POST ${path} HTTP/1.1\r\nhost: localhost\r\n`)
    await held.ask('ping')
    const stopped = stopping.gateway.stop(1000)
    socket.write('content-type: application/json\r\ncontent-length: 0\r\n\r\n')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(path === '/mcp' ? /^HTTP\/1.1 503 .*"jsonrpc"/s : /^HTTP\/1.1 503 .*\{"error":\{"code":"stopping"/s)
    await until(() => heard.length > 0)
    expect(heard).toEqual([expect.objectContaining({ code: 'stopping', status: 503, path })])
    await stopped
    await stopping.stop()
  })
})

describe('over standard streams the plugins hear of', () => {
  it.each([
    ['no JSON', '{', { code: 'parse-error' }],
    ['no JSON-RPC', '{"jsonrpc":"2.0"}', { code: 'invalid-request' }],
    ['a line over the limit', `"${'a'.repeat(5000)}"`, { code: 'too-large' }],
    ['a request before the handshake', ping, { code: 'session-missing', action: 'ping' }],
    ['a batch', `[${ping}]`, { code: 'batch-refused' }],
    ['an envelope that is none', modern('2026-07-28'), { code: 'invalid-params', action: 'tools/list' }],
  ])('%s', async (_, line, expected) => {
    const own = await startTestGateway({ servers: [], plugins: [listening], limits: { messageBytes: 4096 }, stdio: true })
    const client = openStdio(own)
    client.write(line)
    expect(await client.next()).toHaveProperty('error')
    expect(heard).toEqual([expect.objectContaining({ transport: 'stdio', by: ['default'], ...expected })])
    expect(JSON.stringify(heard)).not.toContain('hunter2')
    await own.stop()
  })
})

it('a plugin that fails at it keeps neither the client from its answer nor the others from hearing', async () => {
  const failing = plugin('torn', [], {
    onRefused() {
      throw new Error('inside')
    },
  })
  const own = await startTestGateway({ servers: [], plugins: [failing, listening] })
  expect((await (await send(own, 'GET', '/nowhere', undefined, common)).done).status).toBe(404)
  expect(heard).toEqual([expect.objectContaining({ code: 'not-found' })])
  expect(own.logged).toContainEqual(expect.objectContaining({ message: 'a plugin failed' }))
  await own.stop()
})
