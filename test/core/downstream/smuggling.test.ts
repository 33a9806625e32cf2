// T32: bytes that two parsers could read in two ways are one request to nobody: refused, and nothing behind them is served.
import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { call, connectHttp, type HttpClient } from '../data-plane/clients.ts'
import { startTestGateway, type TestGateway } from '../data-plane/gateway.ts'
import { type HttpUpstream, startHttpUpstream } from '../data-plane/http-upstream.ts'

let upstream: HttpUpstream
let gateway: TestGateway
let client: HttpClient
beforeAll(async () => {
  upstream = await startHttpUpstream()
  gateway = await startTestGateway({ servers: [upstream.server('up')] })
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

/** As it is sent. */
const sizeOf = (text: string): number => text.replaceAll('SESSION', client.sessionId).length

/** The statuses of all answers, and whether the gateway closed the connection while we kept it open. */
function send(text: string): Promise<{ statuses: string[]; closed: boolean }> {
  return new Promise(resolve => {
    const socket = connect(gateway.port, '127.0.0.1')
    let got = ''
    const finish = (closed: boolean): void => {
      socket.destroy()
      resolve({ statuses: [...got.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(match => match[1]!), closed })
    }
    socket.on('data', chunk => (got += chunk))
    socket.on('close', () => finish(true))
    socket.on('error', () => {})
    // Silence ends the wait: whatever would be served is served by then.
    socket.setTimeout(400, () => finish(false))
    socket.write(text.replaceAll('SESSION', client.sessionId), 'latin1')
  })
}

const body = call(1, 'up__echo')
const hex = body.length.toString(16)
const sized = `content-length: ${body.length}\r\n`
const chunks = `${hex}\r\n${body}\r\n0\r\n\r\n`
const CHUNKED = 'transfer-encoding: chunked\r\n'
const post = (more: string, content: string, line = 'POST /mcp HTTP/1.1'): string =>
  `${line}\r\nhost: 127.0.0.1\r\nmcp-session-id: SESSION\r\ncontent-type: application/json\r\naccept: */*\r\n${more}\r\n${content}`
const hidden = post(sized, body)

/** Each is followed by a request that is in order: it must not be served on the same connection. */
const broken: Record<string, string> = {
  'a length and chunks': post(`${sized}${CHUNKED}`, chunks),
  'chunks of what is compressed': post('transfer-encoding: gzip, chunked\r\n', chunks),
  'chunks and a length': post(`${CHUNKED}${sized}`, chunks),
  'a length of 0 and chunks': post(`content-length: 0\r\n${CHUNKED}`, chunks),
  'a length that hides a request in chunks': post(`content-length: 4\r\n${CHUNKED}`, `0\r\n\r\n${hidden}`),
  'two encodings, one unknown': post(`${CHUNKED}transfer-encoding: identity\r\n`, chunks),
  'chunked twice over two headers': post(`transfer-encoding: gzip\r\n${CHUNKED}transfer-encoding: x\r\n`, chunks),
  'an encoding with a vertical tab before it': post('transfer-encoding:\x0bchunked\r\n', chunks),
  'an encoding with a NUL in it': post('transfer-encoding: chunk\0ed\r\n', chunks),
  'an encoding in quotes': post('transfer-encoding: "chunked"\r\n', chunks),
  'an encoding with a space before the colon': post('transfer-encoding : chunked\r\n', chunks),
  'an encoding that is folded': post('transfer-encoding:\r\n chunked\r\n', chunks),
  'a name with a control character': post(`x\x01: y\r\n${sized}`, body),
  'a name with a high byte': post(`x\xff: y\r\n${sized}`, body),
  'no name': post(`: y\r\n${sized}`, body),
  'a header without a colon': post(`nothing\r\n${sized}`, body),
  'a header before the first line ends with CR alone': post(`x: y\rcontent-length: 0\r\n${sized}`, body),
  'a length of two signs': post(`content-length: ${body.length} ${body.length}\r\n`, body),
  'a negative length': post('content-length: -1\r\n', body),
  'a length with an exponent': post('content-length: 1e1\r\n', body),
  'a length with a fraction': post(`content-length: ${body.length}.0\r\n`, body),
  'a length beyond 64 bits': post('content-length: 18446744073709551617\r\n', body),
  'an empty length': post('content-length:\r\n', body),
  'a chunk beyond 64 bits': post(CHUNKED, `1${'0'.repeat(16)}${hex}\r\n${body}\r\n0\r\n\r\n`),
  'a chunk with a sign': post(CHUNKED, `+${hex}\r\n${body}\r\n0\r\n\r\n`),
  'a chunk written as 0x': post(CHUNKED, `0x${hex}\r\n${body}\r\n0\r\n\r\n`),
  'a chunk of no size': post(CHUNKED, `\r\n${body}\r\n0\r\n\r\n`),
  'a chunk whose line ends with LF': post(CHUNKED, `${hex}\n${body}\r\n0\r\n\r\n`),
  'a chunk whose data ends with LF': post(CHUNKED, `${hex}\r\n${body}\n0\r\n\r\n`),
  'a chunk extension with LF in it': post(CHUNKED, `${hex};a=b\nc\r\n${body}\r\n0\r\n\r\n`),
  'a chunk extension without end': post(CHUNKED, `${hex};${'a'.repeat(100_000)}\r\n${body}\r\n0\r\n\r\n`),
  'a last chunk whose line ends with LF': post(CHUNKED, `${hex}\r\n${body}\r\n0\n\n`),
  'a first line of HTTP/0.9': post(sized, body, 'POST /mcp'),
  'chunks in HTTP/1.0': post(CHUNKED, chunks, 'POST /mcp HTTP/1.0'),
  'chunks in HTTP/1.0, to be kept alive': post(`connection: keep-alive\r\n${CHUNKED}`, chunks, 'POST /mcp HTTP/1.0'),
  'a first line of HTTP/0.9, to be kept alive': post(`connection: keep-alive\r\n${sized}`, body, 'POST /mcp'),
  'a first line of another version': post(sized, body, 'POST /mcp HTTP/1.2'),
  'a first line with two versions': post(sized, body, 'POST /mcp HTTP/1.1 HTTP/1.1'),
  'a first line with a tab': post(sized, body, 'POST\t/mcp\tHTTP/1.1'),
  'a first line with a NUL': post(sized, body, 'POST /mcp\0 HTTP/1.1'),
  'a first line with CR': post(sized, body, 'POST /mcp\r HTTP/1.1'),
  'a method of another case': post(sized, body, 'post /mcp HTTP/1.1'),
  'a method that there is not': post(sized, body, 'GPOST /mcp HTTP/1.1'),
  'the preface of HTTP/2': `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${hidden}`,
  'the first bytes of TLS': `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${hidden}`,
  'a trailer with a line feed': post(CHUNKED, `${hex}\r\n${body}\r\n0\r\nx: y\n\r\n`),
}

describe('what is no HTTP to everybody', () => {
  for (const [name, text] of Object.entries(broken)) {
    it(`${name}: nothing of it is called, nothing behind it is served, and the connection ends`, async () => {
      const { statuses, closed } = await send(text + hidden.replace('"id":1', '"id":2'))
      expect(statuses.filter(status => status.startsWith('2'))).toEqual([])
      expect(upstream.seen.map(({ text }) => text)).toEqual([])
      expect(closed).toBe(true)
    })
  }
})

describe('what is HTTP, and could be read as more than one request', () => {
  it('a body within a body is a body', async () => {
    const inner = JSON.stringify(hidden.replace('SESSION', 'somebody'))
    const outer = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"up__echo","arguments":{"text":${inner}}}}`
    expect((await send(post(`content-length: ${outer.length}\r\n`, outer))).statuses).toEqual(['200'])
    expect(upstream.of('tools/call')).toHaveLength(1)
  })

  it('a GET with a body: what is in the body is no request', async () => {
    const { statuses } = await send(post(`content-length: ${sizeOf(hidden)}\r\n`, hidden, 'GET /healthz HTTP/1.1'))
    expect(statuses).toEqual(['404'])
    expect(upstream.seen).toEqual([])
  })

  it('a wish to speak another protocol is not granted', async () => {
    for (const upgrade of ['h2c', 'websocket']) {
      const more = `connection: upgrade, http2-settings\r\nupgrade: ${upgrade}\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n${sized}`
      const { statuses } = await send(post(more, body))
      expect(statuses).toEqual(['200'])
    }
    expect(upstream.of('tools/call')).toHaveLength(2)
    expect((await send(post('', '', 'CONNECT 127.0.0.1:80 HTTP/1.1'))).statuses.filter(status => status.startsWith('2'))).toEqual([])
  })

  it('trailers are no headers', async () => {
    const trailing = post(CHUNKED, `${hex}\r\n${body}\r\n0\r\nhost: evil.example\r\nauthorization: Bearer x\r\n\r\n`)
    expect((await send(trailing)).statuses).toEqual(['200'])
    expect(upstream.of('tools/call')).toHaveLength(1)
  })

  it('a refused request with a long body leaves the next one where it begins', async () => {
    const evil = post(sized, body).replace('host: 127.0.0.1', 'host: 127.0.0.1\r\norigin: https://evil.example')
    expect((await send(evil + hidden)).statuses).toEqual(['403', '200'])
    expect(upstream.of('tools/call')).toHaveLength(1)
    const short = post(`content-length: ${sizeOf(body + hidden)}\r\n`, body + hidden).replace('application/json', 'text/plain')
    expect((await send(short)).statuses).toEqual(['415'])
    expect(upstream.of('tools/call')).toHaveLength(1)
  })
})
