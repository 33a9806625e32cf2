// What is not one clear message is refused before any server hears of it, over HTTP and over standard streams alike.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { call, connectHttp, connectStdio, type HttpClient, type StdioClient } from '../data-plane/clients.ts'
import { startTestGateway, type TestGateway } from '../data-plane/gateway.ts'
import { type HttpUpstream, startHttpUpstream } from '../data-plane/http-upstream.ts'

const deep = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
const argument = (json: string): string => call(7, 'up__echo', json)
const root = (members: string): string => `{"jsonrpc":"2.0",${members}}`

interface Case {
  readonly name: string
  readonly text: string
  readonly rpc: number
  readonly status: number
}
const parse = { rpc: -32700, status: 400 }
const invalid = { rpc: -32600, status: 400 }
const params = '"params":{"name":"up__echo","arguments":{}}'
const cases: Case[] = [
  { name: 'duplicate keys at the root', text: root(`"id":7,"method":"tools/call","method":"tools/call",${params}`), ...parse },
  { name: 'duplicate keys in params', text: root('"id":7,"method":"tools/call","params":{"name":"up__echo","name":"up__echo"}'), ...parse },
  { name: 'duplicate keys in arguments', text: argument('{"a":1,"a":1}'), ...parse },
  { name: 'duplicate keys spelled with an escape', text: argument('{"a":1,"\\u0061":2}'), ...parse },
  { name: 'duplicate keys in _meta', text: call(7, 'up__echo', '{}', '{"progressToken":1,"progressToken":1}'), ...parse },
  { name: 'duplicate keys at depth 10', text: argument(`${'{"a":'.repeat(10)}{"x":1,"x":1}${'}'.repeat(10)}`), ...parse },
  { name: 'duplicate __proto__', text: argument('{"__proto__":1,"__proto__":1}'), ...parse },
  { name: 'nesting over the limit', text: argument(deep(65)), rpc: 42014, status: 400 },
  { name: 'nesting of 20,000', text: argument(deep(20_000)), rpc: 42014, status: 400 },
  { name: 'an array nested 20,000 deep', text: '['.repeat(20_000), rpc: 42014, status: 400 },
  { name: 'no JSON', text: 'tools/call', ...parse },
  { name: 'two values', text: `${argument('{}')} {}`, ...parse },
  { name: 'a trailing comma', text: argument('{"a":1,}'), ...parse },
  { name: 'NaN', text: argument('{"a":NaN}'), ...parse },
  { name: 'a lone surrogate', text: argument('{"a":"\\ud800"}'), ...parse },
  { name: 'a byte order mark', text: `\ufeff${argument('{}')}`, ...parse },
  { name: 'a plain string', text: '"tools/call"', ...invalid },
  { name: 'another jsonrpc version', text: `{"jsonrpc":"1.0","id":7,"method":"tools/call",${params}}`, ...invalid },
  { name: 'no jsonrpc version', text: `{"id":7,"method":"tools/call",${params}}`, ...invalid },
  { name: 'an id that is null', text: root(`"id":null,"method":"tools/call",${params}`), ...invalid },
  { name: 'an id that is a fraction', text: root(`"id":7.5,"method":"tools/call",${params}`), ...invalid },
  { name: 'an id that is an object', text: root(`"id":{},"method":"tools/call",${params}`), ...invalid },
  { name: 'params that are an array', text: root('"id":7,"method":"tools/call","params":["up__echo"]'), ...invalid },
  { name: 'a method and a result at once', text: root(`"id":7,"method":"tools/call","result":{},${params}`), ...invalid },
  { name: 'a result and an error at once', text: root('"id":1,"result":{},"error":{"code":1,"message":""}'), ...invalid },
  { name: 'an empty batch', text: '[]', ...invalid },
  { name: 'a batch outside 2025-03-26', text: `[${argument('{}')}]`, ...invalid },
  ...['Method', 'METHOD', 'Params', 'ID', 'Id', 'JsonRpc', 'Result', 'param\u017f'].map(key => ({
    name: `${key} beside the reserved key`,
    text: root(`"id":7,"method":"tools/call",${params},${JSON.stringify(key)}:"x"`),
    ...invalid,
  })),
  ...['Name', 'NAME', 'Arguments', 'argument\u017f', '_Meta'].map(key => ({
    name: `${key} in params beside the reserved key`,
    text: root(`"id":7,"method":"tools/call","params":{"name":"up__echo",${JSON.stringify(key)}:{}}`),
    ...invalid,
  })),
]

describe('a message that is not one clear message', () => {
  let upstream: HttpUpstream
  let gateway: TestGateway
  let http: HttpClient
  let other: HttpClient
  let stdio: StdioClient

  beforeAll(async () => {
    upstream = await startHttpUpstream()
    gateway = await startTestGateway({ servers: [upstream.server('up')], stdio: true })
    http = await connectHttp(gateway)
    other = await connectHttp(gateway)
    stdio = await connectStdio(gateway)
    await http.ask('tools/list')
    await stdio.ask('tools/list')
  })
  afterAll(async () => {
    await gateway.stop()
    await upstream.close()
  })
  beforeEach(() => {
    upstream.seen.length = 0
  })

  for (const { name, text, rpc, status } of cases) {
    it(`${name}: is refused over HTTP, and no server hears of it`, async () => {
      const refused = await http.post(text)
      expect(refused.status).toBe(status)
      const { error } = JSON.parse(refused.text)
      expect(error.code).toBe(rpc)
      expect(upstream.of('tools/call')).toEqual([])
      expect((await other.ask('tools/call', { name: 'up__echo' })).result.echo).toBe(null)
      expect((await http.ask('tools/call', { name: 'up__echo' })).result.echo).toBe(null)
    })
    it(`${name}: is refused over standard streams, which stay usable`, async () => {
      const before = stdio.lines.length
      stdio.write(text)
      const refused = await stdio.find(message => message.error?.code === rpc, before)
      expect(refused.error.code).toBe(rpc)
      expect(upstream.of('tools/call')).toEqual([])
      expect((await stdio.ask('tools/call', { name: 'up__echo' })).result.echo).toBe(null)
    })
  }

  it('an invalid request is answered under its own id', async () => {
    const text = root(`"id":"mine","method":"tools/call",${params},"Method":1`)
    expect(JSON.parse((await http.post(text)).text).id).toBe('mine')
    stdio.write(text)
    expect((await stdio.find(message => message.id === 'mine')).error.code).toBe(-32600)
  })

  it('invalid UTF-8 is refused', async () => {
    const bytes = Buffer.from(argument('{"a":"\u00e9"}'), 'latin1')
    expect((await http.post(bytes)).status).toBe(400)
    expect(upstream.seen).toEqual([])
  })

  it('a body over the limit is refused with 413, declared or not, and the client goes on', async () => {
    const body = argument(JSON.stringify('x'.repeat(17 * 1024 * 1024)))
    const refused = await http.post(body, { 'content-length': String(Buffer.byteLength(body)) })
    expect([refused.status, JSON.parse(refused.text).error.code]).toEqual([413, 42013])
    const chunked = await http.post(body, { 'transfer-encoding': 'chunked' })
    expect(chunked.status).toBe(413)
    expect(upstream.seen).toEqual([])
    expect((await http.ask('tools/call', { name: 'up__echo' })).result.echo).toBe(null)
  })

  it('a line over the limit is refused, and the next one is read', async () => {
    const before = stdio.lines.length
    stdio.write(argument(JSON.stringify('x'.repeat(17 * 1024 * 1024))))
    const refused = await stdio.find(message => message.error?.code === 42013, before)
    expect(refused.id).toBe(null)
    expect(upstream.seen).toEqual([])
    expect((await stdio.ask('tools/call', { name: 'up__echo' })).result.echo).toBe(null)
  })

  it('a response to nothing is taken without an answer and goes nowhere', async () => {
    for (const text of [root('"id":99,"result":{}'), root('"id":"99","error":{"code":1,"message":"x"}'), root('"id":1,"result":{}')]) {
      const taken = await http.post(text)
      expect([taken.status, taken.text]).toEqual([202, ''])
      stdio.write(text)
    }
    await stdio.ask('ping')
    expect(upstream.seen).toEqual([])
  })

  it('requests under one id are each answered, as clients reuse ids', async () => {
    upstream.handlers.set('tools/call', received =>
      setTimeout(() => received.result(`{"content":[],"n":${JSON.stringify(received.message.params.arguments.n)}}`), 30),
    )
    const both = await Promise.all(
      [1, 2].map(n => http.post(`{"jsonrpc":"2.0","id":"same","method":"tools/call","params":{"name":"up__echo","arguments":{"n":${n}}}}`)),
    )
    expect(both.map(({ text }) => JSON.parse(text).result.n)).toEqual([1, 2])
    upstream.handlers.set('tools/call', received =>
      received.result(`{"echo":${JSON.stringify(received.message.params.arguments ?? null)}}`),
    )
  })
})
