// What a client says reaches the server byte for byte, and what the server says comes back so: numbers, odd keys, absent arguments.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, connectHttp, connectStdio, type HttpClient, type StdioClient } from '../data-plane/clients.ts'
import { startTestGateway, type TestGateway } from '../data-plane/gateway.ts'
import { type HttpUpstream, startHttpUpstream } from '../data-plane/http-upstream.ts'
import { visitHttp } from '../data-plane/stateless-client.ts'
import { type StdioUpstream, startStdioUpstream } from '../data-plane/stdio-upstream.ts'

const values = [
  'null',
  '[]',
  '""',
  '0',
  'false',
  '{}',
  '{"n":9007199254740993}',
  '{"n":1.0,"m":-0,"e":1e400,"f":1E+2,"g":0.10}',
  '{"10":1,"9":2,"a":3,"1":4}',
  '{"__proto__":{"role":"admin"},"constructor":{"prototype":{}},"toString":1,"hasOwnProperty":null}',
  '{"a":"\\u0041\\/\\ud83d\\ude00","b":"é😀\u2028"}',
  '{ "spaced" :\t[ 1 , 2 ] }',
  `${'['.repeat(50)}${']'.repeat(50)}`,
  '{"method":"x","Method":"y","jsonrpc":"3.0","id":[]}',
]

/** The text of the member `name` of params, cut out of the raw message. */
const argumentsOf = (text: string): string | undefined => /"arguments":([\s\S]*?)(?:,"_meta":\{\})?\}\}$/.exec(text)?.[1]

describe('a value on its way', () => {
  let remote: HttpUpstream
  let child: StdioUpstream
  let gateway: TestGateway
  let http: HttpClient
  let stdio: StdioClient

  beforeAll(async () => {
    remote = await startHttpUpstream()
    child = await startStdioUpstream()
    gateway = await startTestGateway({ servers: [remote.server('remote'), child.server('child')], stdio: true })
    http = await connectHttp(gateway)
    stdio = await connectStdio(gateway)
  })
  afterAll(async () => {
    await gateway.stop()
    await remote.close()
    await child.close()
  })

  for (const value of values) {
    it(`arguments ${value.slice(0, 60)} pass unchanged from both transports to both, and back as a result`, async () => {
      for (const upstream of [remote, child]) {
        const name = upstream === remote ? 'remote__echo' : 'child__echo'
        upstream.handlers.set('tools/call', received => received.result(`{"content":[],"structuredContent":${value}}`))
        const before = upstream.of('tools/call').length
        const answer = await http.post(call(1, name, value))
        const said = stdio.lines.length
        stdio.write(call(`${name}${before}`, name, value))
        await stdio.find(message => message.id === `${name}${before}`, said)
        expect(
          upstream
            .of('tools/call')
            .slice(before)
            .map(one => argumentsOf(one.text)),
        ).toEqual([value, value])
        expect(answer.text).toBe(`{"jsonrpc":"2.0","id":1,"result":{"content":[],"structuredContent":${value}}}`)
        expect(stdio.lines[said]).toBe(`{"jsonrpc":"2.0","id":"${name}${before}","result":{"content":[],"structuredContent":${value}}}`)
      }
    })
  }

  it('absent arguments stay absent', async () => {
    remote.handlers.set('tools/call', received => received.result('{"content":[]}'))
    const before = remote.of('tools/call').length
    await http.post(call(1, 'remote__echo'))
    expect(remote.of('tools/call')[before]!.text).toMatch(/"params":\{"name":"echo"\}\}$/)
  })

  it('unknown members beside the known ones pass, on every level', async () => {
    const before = remote.of('tools/call').length
    await http.post(
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"x":[1.0],"name":"remote__echo","_meta":{"a/b":{"c":-0}},"task":{"ttl":1}}}',
    )
    expect(remote.of('tools/call')[before]!.text).toContain('"params":{"x":[1.0],"name":"echo","_meta":{"a/b":{"c":-0}},"task":{"ttl":1}}')
  })

  it('an error of a server comes back as it was, data and all', async () => {
    remote.handlers.set('tools/call', received =>
      received.say(`{"jsonrpc":"2.0","id":${received.id},"error":{"code":-32099,"message":"no\\u0021","data":{"n":1.0,"__proto__":[]}}}`),
    )
    const answer = await http.post(call(1, 'remote__echo'))
    expect(answer.messages).toEqual([
      '{"jsonrpc":"2.0","id":1,"error":{"code":-32099,"message":"no\\u0021","data":{"n":1.0,"__proto__":[]}}}',
    ])
  })

  it('an unknown method is refused where several servers could be meant', async () => {
    const answer = await http.ask('tasks/odd', { a: 1 })
    expect(answer.error.code).toBe(-32601)
    expect([...remote.seen, ...child.seen].some(one => one.method === 'tasks/odd')).toBe(false)
  })

  it('an unknown method passes where one server is meant, without losing a byte', async () => {
    remote.handlers.set('x/odd', received => received.result('[1.0,{"__proto__":1}]'))
    const client = await connectHttp(gateway, { path: '/mcp/remote' })
    const answer = await client.post('{"jsonrpc":"2.0","id":"q","method":"x/odd","params":{"n":1.0}}')
    expect(answer.text).toBe('{"jsonrpc":"2.0","id":"q","result":[1.0,{"__proto__":1}]}')
    expect(remote.of('x/odd')[0]!.text).toContain('"params":{"n":1.0}')
    expect((await client.ask('x/unknown')).error).toEqual({ code: -32601, message: 'no such method' })
  })

  it('a result that is no object reaches a client with sessions as it is, and is no answer for a stateless one', async () => {
    for (const odd of ['5', '[]', '"text"', 'null']) {
      remote.handlers.set('tools/call', received => received.result(odd))
      expect((await http.post(call(1, 'remote__echo'))).text).toBe(`{"jsonrpc":"2.0","id":1,"result":${odd}}`)
      const { error } = await visitHttp(gateway).ask('tools/call', { name: 'remote__echo' })
      expect(error.data.mcpgw.code).toBe('upstream-garbage')
    }
    expect(gateway.logged.filter(line => line.message.startsWith('bug'))).toEqual([])
  })
})
