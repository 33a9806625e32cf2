// What a browser, a proxy or a smuggler could send: refused before a body is read, and the connection that did it is closed or clean.
import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { call, connectHttp, type HttpClient, initialize, send } from '../data-plane/clients.ts'
import { startTestGateway, type TestGateway } from '../data-plane/gateway.ts'
import { type HttpUpstream, startHttpUpstream } from '../data-plane/http-upstream.ts'

let upstream: HttpUpstream
let gateway: TestGateway
let client: HttpClient

beforeAll(async () => {
  upstream = await startHttpUpstream()
  gateway = await startTestGateway({
    servers: [upstream.server('up')],
    listen: { hosts: ['mcp.example'], origins: ['https://app.example'] },
  })
  client = await connectHttp(gateway)
  await client.ask('tools/list')
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})
beforeEach(() => {
  upstream.seen.length = 0
})

const body = call(1, 'up__echo')

/** Writes raw bytes, the client's own session id for `SESSION`, and reads until the gateway closes the connection or has answered `answers` times. */
function raw(text: string, answers = 1): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(gateway.port, '127.0.0.1')
    let got = ''
    const finish = (): void => {
      socket.destroy()
      resolve([...got.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(match => match[1]!))
    }
    socket.on('data', chunk => {
      got += chunk
      if ((got.match(/HTTP\/1\.1 \d{3}[\s\S]*?\r\n\r\n/g) ?? []).length >= answers) setTimeout(finish, 30)
    })
    socket.on('close', finish)
    socket.on('error', error => ((error as NodeJS.ErrnoException).code === 'ECONNRESET' ? finish() : reject(error)))
    // A half-closed connection is not served at all: what is sent must stay open, and silence ends the wait.
    socket.setTimeout(300, finish)
    socket.write(text.replaceAll('SESSION', client.sessionId), 'latin1')
  })
}
const post = (more: string, content = body): string =>
  `POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\nmcp-session-id: SESSION\r\ncontent-type: application/json\r\naccept: */*\r\n${more}\r\n${content}`
const sized = `content-length: ${body.length}\r\n`

describe('Host and Origin', () => {
  const refused: Record<string, string>[] = [
    { host: 'evil.example' },
    { host: 'evil.example:80' },
    { host: '127.0.0.1.evil.example' },
    { host: 'localhost.evil.example' },
    { host: 'evil.example/127.0.0.1' },
    { host: 'localhost@evil.example' },
    { host: 'localhost,evil.example' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost.evil.example' },
    { origin: 'http://localhost@evil.example' },
    { origin: 'http://localhost/evil' },
    { origin: 'https://app.example.evil.example' },
    { origin: 'file://localhost' },
  ]
  for (const headers of refused) {
    it(`${JSON.stringify(headers)} is refused, before a session is even looked for`, async () => {
      const answer = await client.post(body, headers)
      expect(answer.status).toBe(403)
      expect(answer.headers['access-control-allow-origin']).toBe(undefined)
      expect((await send(gateway, 'GET', '/mcp', undefined, headers)).status).toBe(403)
      expect(upstream.seen).toEqual([])
    })
  }
  for (const headers of [
    { host: 'localhost:1' },
    { host: 'LOCALHOST' },
    { host: '[::1]:3100' },
    { host: 'mcp.example' },
    { origin: 'https://app.example' },
    { origin: 'http://localhost:5173' },
  ] as Record<string, string>[]) {
    it(`${JSON.stringify(headers)} is let in`, async () => {
      expect((await client.post(body, headers)).status).toBe(200)
    })
  }
  it('a missing Host is a bad request, an empty one and two are refused', async () => {
    expect(await raw(post(sized).replace('host: 127.0.0.1', 'host:'))).toEqual(['403'])
    expect(await raw(`POST /mcp HTTP/1.1\r\ncontent-type: application/json\r\n${sized}\r\n${body}`)).toEqual(['400'])
    expect(await raw(post(`host: evil.example\r\n${sized}`))).toEqual(['403'])
    expect(await raw(post(`origin: http://localhost\r\norigin: http://evil.example\r\n${sized}`))).toEqual(['403'])
    expect(upstream.seen).toEqual([])
  })
})

describe('the form of a request', () => {
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'application/json; charset=utf-16',
    'application/jsonp',
    '',
    'text/plain; application/json',
  ]) {
    it(`content type ${type || '(empty)'} is refused with 415`, async () => {
      expect((await client.post(body, { 'content-type': type })).status).toBe(415)
      expect(upstream.seen).toEqual([])
    })
  }
  it('two content types are refused, whichever comes first', async () => {
    const types = ['content-type: application/json\r\n', 'content-type: text/plain\r\n']
    const head = 'POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\n'
    for (const two of [types.join(''), types.toReversed().join(''), types[0]!.repeat(2)])
      expect(await raw(`${head}${two}content-length: ${body.length}\r\n\r\n${body}`)).toEqual(['415'])
    expect(upstream.seen).toEqual([])
  })
  for (const type of ['application/json', 'Application/JSON', 'application/json;charset=UTF-8', 'application/json; charset="utf-8"']) {
    it(`content type ${type} is accepted`, async () => {
      expect((await client.post(body, { 'content-type': type })).status).toBe(200)
    })
  }
  for (const encoding of ['gzip', 'br', 'deflate', 'identity, gzip', 'x']) {
    it(`content encoding ${encoding} is refused with 415`, async () => {
      expect((await client.post(body, { 'content-encoding': encoding })).status).toBe(415)
      expect(upstream.seen).toEqual([])
    })
  }
  it('an Accept that takes no JSON or no stream is refused with 406', async () => {
    for (const accept of ['text/html', 'application/json', 'text/event-stream'])
      expect((await client.post(body, { accept })).status).toBe(406)
    expect((await send(gateway, 'GET', '/mcp', undefined, { 'mcp-session-id': client.sessionId, accept: 'application/json' })).status).toBe(
      406,
    )
  })
  for (const path of [
    '/x/../mcp',
    '/./mcp',
    '//mcp',
    '/mcp/',
    '/mcp//up',
    '/mcp/..',
    '/MCP',
    '/mcp%2fup',
    '/%6dcp',
    '/mcp;x',
    '/mcp/unknown',
    '/mcp\\up',
    '/mcp/up/x',
  ]) {
    it(`the path ${path} is not found`, async () => {
      expect(await raw(post(sized).replace('/mcp', path))).toEqual(['404'])
      expect(upstream.seen).toEqual([])
    })
  }
  it('the absolute form is not found, whatever host it names', async () => {
    for (const host of ['http://127.0.0.1/mcp', 'http://evil.example/mcp'])
      expect(await raw(post(sized).replace('/mcp', host))).toEqual(['404'])
    expect(upstream.seen).toEqual([])
  })
  it('other HTTP methods are refused and name those that are not', async () => {
    for (const method of ['PUT', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE']) {
      const { status, headers } = await (await send(gateway, method, '/mcp', undefined, {})).done
      expect([status, headers.allow]).toEqual([405, 'POST, GET, DELETE'])
    }
  })
  it('an unsupported MCP-Protocol-Version is a bad request', async () => {
    for (const version of ['1900-01-01', '2025-06-18, 2025-11-25', '']) {
      expect((await client.post(body, { 'mcp-protocol-version': version })).status).toBe(400)
    }
    expect((await client.post(body, { 'mcp-protocol-version': '2025-11-25' })).status).toBe(200)
  })
})

describe('smuggling', () => {
  const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  const second = `GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`
  const bad: Record<string, string> = {
    'Content-Length and Transfer-Encoding': post(`${sized}transfer-encoding: chunked\r\n`, chunked),
    'Transfer-Encoding and Content-Length': post(`transfer-encoding: chunked\r\n${sized}`, chunked),
    'two Content-Lengths': post(`content-length: 5\r\n${sized}`),
    'two equal Content-Lengths': post(`${sized}${sized}`),
    'a list of Content-Lengths': post(`content-length: ${body.length}, ${body.length}\r\n`),
    'a signed Content-Length': post(`content-length: +${body.length}\r\n`),
    'a hexadecimal Content-Length': post('content-length: 0x10\r\n'),
    'an odd Transfer-Encoding': post('transfer-encoding: xchunked\r\n', chunked),
    'chunked, then something': post('transfer-encoding: chunked, identity\r\n', chunked),
    'a bare line feed after a header': post(`x: y\n${sized}`),
    'bare line feeds throughout': post(sized).replaceAll('\r\n', '\n'),
    'a NUL in a header': post(`x: a\0b\r\n${sized}`),
    'a space before the colon': post(`content-length : ${body.length}\r\n`),
    'a folded header': post(`x: a\r\n content-length: 0\r\n${sized}`),
    'a chunk of odd size': post('transfer-encoding: chunked\r\n', `${body.length.toString(16)} \n${body}\r\n0\r\n\r\n`),
    'a chunk larger than it says': post('transfer-encoding: chunked\r\n', `2\r\n${body}\r\n0\r\n\r\n`),
    'headers without end': `POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`,
  }
  for (const [name, text] of Object.entries(bad)) {
    it(`${name}: no call is made, and nothing behind it on the connection is served`, async () => {
      expect((await raw(text + second, 2)).filter(status => status === '200')).toEqual([])
      expect(upstream.seen).toEqual([])
    })
  }
  it('two honest requests in one piece are both answered', async () => {
    expect(await raw(post(sized) + post(sized).replace('"id":1', '"id":2'), 2)).toEqual(['200', '200'])
    expect(upstream.of('tools/call')).toHaveLength(2)
  })
})

it('a body cut short makes no call and leaves nothing behind', async () => {
  await raw(post(`content-length: ${body.length + 10}\r\n`), 1)
  expect(upstream.seen).toEqual([])
  expect((await client.ask('tools/call', { name: 'up__echo' })).error).toBe(undefined)
})

it('initialize answers what the client asked for where it is spoken, else the newest, and needs no session', async () => {
  for (const [asked, answered] of [
    ['2024-11-05', '2024-11-05'],
    ['2025-06-18', '2025-06-18'],
    ['1999-01-01', '2025-11-25'],
  ] as const) {
    const headers = { 'content-type': 'application/json', accept: '*/*' }
    const opened = await (await send(gateway, 'POST', '/mcp', initialize(asked, '{}'), headers)).done
    expect(JSON.parse(opened.text).result.protocolVersion).toBe(answered)
    expect(String(opened.headers['mcp-session-id'])).toMatch(/^[\w-]{22,}$/)
  }
})
