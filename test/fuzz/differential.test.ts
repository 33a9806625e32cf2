// The same random message sent to a server directly and through the gateway: what arrives, and what comes back, is equal byte for byte.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connectHttp, connectStdio, type HttpClient, type StdioClient } from '../core/data-plane/clients.ts'
import { startTestGateway, type TestGateway } from '../core/data-plane/gateway.ts'
import { type HttpUpstream, startHttpUpstream } from '../core/data-plane/http-upstream.ts'
import { type StdioUpstream, startStdioUpstream } from '../core/data-plane/stdio-upstream.ts'

const runs = Number(process.env.FUZZ_RUNS ?? 300)
const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31))

// JSON texts, not values: spelling is what must survive.
const number = fc.oneof(
  fc.constantFrom('0', '-0', '1.0', '1e400', '-1E+2', '9007199254740993', '0.1', '1e-400', '123456789012345678901234567890'),
  fc.integer().map(String),
)
const string = fc.oneof(
  fc.string({ unit: 'grapheme' }).map(text => JSON.stringify(text)),
  fc.constantFrom('""', '"\\u0041"', '"\\/"', '"\\ud83d\\ude00"', '"\u2028"', '"\\u0000"', '"__proto__"'),
)
const key = fc.oneof(
  fc.string({ maxLength: 6 }),
  // Not `mcpgw`: what is the gateway's own to say is taken out of a server's answer.
  fc.constantFrom('__proto__', 'constructor', 'toString', 'method', 'ID', 'Result', '10', '2', 'a b', 'é'),
)
const space = fc.constantFrom('', '', '', ' ', '\t', '  ')
const { value } = fc.letrec<{ value: string }>(tie => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constantFrom('null', 'true', 'false', '{}', '[]'),
    number,
    string,
    fc.tuple(fc.array(tie('value'), { maxLength: 4 }), space).map(([items, gap]) => `[${gap}${items.join(`${gap},${gap}`)}${gap}]`),
    fc
      .tuple(fc.uniqueArray(key, { maxLength: 4 }), fc.array(tie('value'), { minLength: 4, maxLength: 4 }), space)
      .map(([keys, values, gap]) => `{${keys.map((name, i) => `${gap}${JSON.stringify(name)}${gap}:${values[i]}`).join(',')}${gap}}`),
  ),
}))
// Keys of params that mean something to the gateway, or resemble such, are left to the tests that are about them.
const reserved = /^(name|arguments|_meta|uri|cursor|progresstoken|requestid|task|requeststate|inputresponses)$/i
const params = fc
  .tuple(
    fc.uniqueArray(
      key.filter(name => !reserved.test(name)),
      { maxLength: 4 },
    ),
    fc.array(value, { minLength: 4, maxLength: 4 }),
  )
  .map(([keys, values]) => `{${keys.map((name, i) => `${JSON.stringify(name)}:${values[i]}`).join(',')}}`)
const id = fc.oneof(
  fc.integer().map(String),
  fc.string({ maxLength: 8 }).map(text => JSON.stringify(text)),
  fc.constantFrom('9007199254740993', '"\\u0031"'),
)
const answer = fc.oneof(
  value.map(json => `"result":${json}`),
  fc.tuple(fc.integer(), string, value).map(([code, message, data]) => `"error":{"code":${code},"message":${message},"data":${data}}`),
)

let remote: HttpUpstream
let child: StdioUpstream
let gateway: TestGateway
let clients: HttpClient[]
let stdio: StdioClient

beforeAll(async () => {
  remote = await startHttpUpstream()
  child = await startStdioUpstream()
  gateway = await startTestGateway({ servers: [remote.server('remote'), child.server('child')], stdio: true })
  clients = [await connectHttp(gateway, { path: '/mcp/remote' }), await connectHttp(gateway, { path: '/mcp/child' })]
  stdio = await connectStdio(gateway)
  for (const client of [...clients, stdio]) await client.ask('tools/list')
})
afterAll(async () => {
  await gateway.stop()
  await remote.close()
  await child.close()
})

it(`requests and answers differ in their ids alone (${runs} runs, FUZZ_SEED=${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(id, params, answer, async (given, sent, answered) => {
      for (const [i, upstream] of [remote, child].entries()) {
        let got = ''
        upstream.handlers.set('fuzz/method', received => {
          got = received.text.replace(`"id":${received.id}`, () => `"id":${given}`)
          received.say(`{"jsonrpc":"2.0","id":${received.id},${answered}}`)
          if (upstream === remote) (received as unknown as { response: { end(): void } }).response.end()
        })
        const request = `{"jsonrpc":"2.0","id":${given},"method":"fuzz/method","params":${sent}}`
        const { messages } = await clients[i]!.post(request)
        expect(got).toBe(request)
        expect(messages.at(-1)).toBe(`{"jsonrpc":"2.0","id":${given},${answered}}`)
      }
    }),
    { numRuns: runs, seed },
  )
})

it(`arguments and results of a tool, named and renamed, differ in the name alone (${runs} runs, FUZZ_SEED=${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(value, value, params, async (given, result, meta) => {
      let got = ''
      child.handlers.set('tools/call', received => {
        got = received.text.slice(received.text.indexOf('"params"'))
        received.result(result)
      })
      const said = stdio.lines.length
      stdio.write(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":${given},"name":"child__echo","_meta":${meta}}}`)
      await stdio.find(message => message.id === 1, said)
      expect(got).toBe(`"params":{"arguments":${given},"name":"echo","_meta":${meta}}}`)
      expect(stdio.lines[said]).toBe(`{"jsonrpc":"2.0","id":1,"result":${result}}`)
    }),
    { numRuns: runs, seed },
  )
})

it(`any bytes at all leave the gateway in order: each is answered or taken, and the next call is served (${runs} runs, FUZZ_SEED=${seed})`, async () => {
  const piece = fc.oneof(
    value,
    fc.string(),
    fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', '"id":1', '"method":"ping"', '"jsonrpc":"2.0"'),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async pieces => {
      const { status } = await clients[0]!.post(pieces.join(''))
      expect([200, 202, 400]).toContain(status)
      stdio.write(pieces.join('').replaceAll(/[\r\n]/g, ' '))
      expect((await stdio.ask('ping')).result).toEqual({})
    }),
    { numRuns: runs, seed },
  )
  expect(gateway.logged.filter(line => line.message.startsWith('bug'))).toEqual([])
})
