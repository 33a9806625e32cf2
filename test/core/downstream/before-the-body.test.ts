// T31, case 30: whoever may not speak is told so by what stands before the body, and the body is not waited for.
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

/** The whole head of the answer, once it is there. Nothing but `text` is ever sent. */
function headOf(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(gateway.port, '127.0.0.1')
    let got = ''
    socket.on('data', chunk => {
      got += chunk
      if (!got.includes('\r\n\r\n')) return
      socket.destroy()
      resolve(got.split('\r\n\r\n', 1)[0]!)
    })
    socket.on('close', () => reject(new Error(`closed without an answer: ${got}`)))
    socket.on('error', () => {})
    socket.write(text.replaceAll('SESSION', client.sessionId), 'latin1')
  })
}

const lines = (...given: string[]): string =>
  ['POST /mcp HTTP/1.1', 'accept: */*', 'mcp-session-id: SESSION', ...given, 'content-length: 1000000', '', ''].join('\r\n')
const HOST = 'host: 127.0.0.1'
const JSON_TYPE = 'content-type: application/json'

describe('an answer comes although no byte of the body was sent', () => {
  it.each<[string, number, string]>([
    ['an Origin of another site', 403, lines(HOST, JSON_TYPE, 'origin: https://evil.example')],
    ['an opaque Origin', 403, lines(HOST, JSON_TYPE, 'origin: null')],
    ['two Origins, the first of them ours', 403, lines(HOST, JSON_TYPE, 'origin: http://localhost', 'origin: https://evil.example')],
    ['a Host that was rebound', 403, lines('host: evil.example', JSON_TYPE)],
    ['two Hosts, the first of them ours', 403, lines(HOST, 'host: evil.example', JSON_TYPE)],
    ['two Hosts, the second of them ours', 403, lines('host: evil.example', HOST, JSON_TYPE)],
    ['two equal Hosts', 403, lines(HOST, HOST, JSON_TYPE)],
    ['no Host', 400, lines(JSON_TYPE)],
    ['an empty Host', 403, lines('host:', JSON_TYPE)],
    ['a form of a browser', 415, lines(HOST, 'content-type: text/plain')],
    ['another form of a browser', 415, lines(HOST, 'content-type: application/x-www-form-urlencoded')],
    ['no type', 415, lines(HOST)],
    ['a compressed body', 415, lines(HOST, JSON_TYPE, 'content-encoding: gzip')],
    ['an unknown path', 404, lines(HOST, JSON_TYPE).replace('/mcp', '/nowhere')],
    ['more than a message may have', 413, lines(HOST, JSON_TYPE).replace('1000000', '100000000')],
  ])('%s: %i', async (_, status, text) => {
    expect(await headOf(text)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(upstream.seen).toEqual([])
  })

  it('and none says that another site may read it', async () => {
    for (const origin of ['https://evil.example', 'null', 'http://localhost:5173']) {
      const head = await headOf(lines(HOST, 'content-type: text/plain', `origin: ${origin}`))
      expect(head.toLowerCase()).not.toContain('access-control-allow')
    }
    // What a browser asks before it sends what is not simple.
    const preflight = `OPTIONS /mcp HTTP/1.1\r\n${HOST}\r\norigin: https://evil.example\r\naccess-control-request-method: POST\r\n\r\n`
    const head = await headOf(preflight)
    expect(head).toMatch(/^HTTP\/1\.1 403 /)
    expect(head.toLowerCase()).not.toContain('access-control-allow')
  })
})

it('who may speak is not answered before the body is there', async () => {
  const body = call(1, 'up__echo')
  const text = lines(HOST, JSON_TYPE).replace('1000000', String(body.length))
  expect(await headOf(text + body)).toMatch(/^HTTP\/1\.1 200 /)
  expect(upstream.of('tools/call')).toHaveLength(1)
})
