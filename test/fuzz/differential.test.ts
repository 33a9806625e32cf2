// A message sent to a server directly and through the gateway: what arrives, and what comes back, is equal byte for byte but for ids and tokens.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectHttp, connectStdio, type HttpClient, type StdioClient } from '../core/data-plane/clients.ts'
import { plugin, startTestGateway, type TestGateway } from '../core/data-plane/gateway.ts'
import { type HttpUpstream, startHttpUpstream } from '../core/data-plane/http-upstream.ts'
import { type StdioUpstream, startStdioUpstream } from '../core/data-plane/stdio-upstream.ts'
import { between, generate, play, type Transcript, withoutEra } from './exchange.ts'
import { entries, listMembers, members, value } from './oddities.ts'
import { type Opened, talkHttp, talkLines, talkToProcess } from './talkers.ts'

const runs = Number(process.env.FUZZ_RUNS ?? 200)
const exchanges = Number(process.env.FUZZ_RUNS ?? (process.env.CI === undefined ? 2000 : 10_000))
const crossings = Number(process.env.FUZZ_RUNS ?? (process.env.CI === undefined ? 500 : 5000))
const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31))
/** So many are under way at once. */
const BATCH = 100

const listed = {
  'tools/list': '{"tools":[{"name":"echo","inputSchema":{"type":"object"}}]}',
  'resources/list': '{"resources":[{"uri":"x://r","name":"r"}]}',
  'resources/templates/list': '{"resourceTemplates":[]}',
  'prompts/list': '{"prompts":[{"name":"p"}]}',
  'logging/setLevel': '{}',
}
const on = Object.fromEntries(
  Object.entries(listed).map(([method, result]) => [method, (got: { result(json: string): void }) => got.result(result)]),
)
const capabilities = '{"tools":{},"resources":{},"prompts":{},"completions":{},"logging":{}}'

const passing = () => ({ kind: 'pass' }) as const
const idle = plugin('idle', ['decides', 'masks', 'records'], {
  onConnection: passing,
  onRequest: () => ({ kind: 'allow', rules: [], obligations: [] }),
  onSealed: passing,
  onList: passing,
  onNotification: passing,
  onResponse: passing,
  onSettled() {},
})

describe('the same exchanges directly and through the gateway', () => {
  const servers = [
    ['http', exchanges, []],
    ['stdio', exchanges, []],
    ['http', crossings, [idle]],
    ['stdio', crossings, [idle]],
  ] as const
  for (const [kind, count, plugins] of servers) {
    const beside = plugins.length > 0 ? 'and a plugin that sees all and changes nothing ' : ''
    it(`differ in ids and tokens alone, with a client over HTTP and one over standard streams, an ${kind} server ${beside}(${count} exchanges, FUZZ_SEED=${seed})`, {
      timeout: 120_000,
    }, async () => {
      const script = { on, capabilities, forgetful: true }
      const http = kind === 'http' ? await startHttpUpstream(script) : undefined
      const child = kind === 'stdio' ? await startStdioUpstream(script) : undefined
      const upstream = (http ?? child)!
      upstream.handlers.delete('tools/call')
      const gateway = await startTestGateway({ servers: [upstream.server('up')], plugins, names: 'bare', stdio: true })
      const direct = http ? await talkHttp(http.port, '/mcp') : await talkToProcess(child!.server('up'), 'legacy')
      const ways: [string, Opened][] = [
        ['HTTP, one server', await talkHttp(gateway.port, '/mcp/up')],
        ['HTTP, all servers', await talkHttp(gateway.port, '/mcp')],
        ['stdio', await talkLines(gateway.output, gateway.input)],
      ]
      const all = generate(count, seed)
      for (let from = 0; from < all.length; from += BATCH) {
        const batch = all.slice(from, from + BATCH)
        const wanted = await play(batch, direct, upstream)
        for (const [way, talker] of ways) {
          const got = await play(batch, talker, upstream)
          for (const { n } of batch) {
            if (JSON.stringify(got.get(n)) !== JSON.stringify(wanted.get(n)))
              expect({ way, n, ...got.get(n) }).toEqual({ way, n, ...wanted.get(n) })
          }
        }
      }
      for (const [, talker] of ways) talker.close()
      direct.close()
      await gateway.stop()
      await upstream.close()
    })
  }
})

describe('exchanges of which a side is stateless, directly and through the gateway', () => {
  const cells = [
    ['modern', 'modern'],
    ['legacy', 'modern'],
    ['modern', 'legacy'],
  ] as const
  for (const [era, other] of cells) {
    for (const kind of ['http', 'stdio'] as const) {
      it(`differ in ids, tokens and the words of the eras alone: ${era} clients over HTTP and standard streams, a ${other} server over ${kind} (${crossings} exchanges, FUZZ_SEED=${seed})`, {
        timeout: 120_000,
      }, async () => {
        const script = { on, capabilities, forgetful: true, ...(other === 'modern' && { modern: capabilities }) }
        const http = kind === 'http' ? await startHttpUpstream(script) : undefined
        const child = kind === 'stdio' ? await startStdioUpstream(script) : undefined
        const upstream = (http ?? child)!
        upstream.handlers.delete('tools/call')
        const gateway = await startTestGateway({ servers: [upstream.server('up', { protocol: 'auto' })], names: 'bare', stdio: true })
        const direct = http ? await talkHttp(http.port, '/mcp', other) : await talkToProcess(child!.server('up'), other)
        const ways: [string, Opened][] = [
          ['HTTP', await talkHttp(gateway.port, '/mcp/up', era)],
          ['stdio', await talkLines(gateway.output, gateway.input, era)],
        ]
        // A server on standard streams does not say to which request its log messages belong: over HTTP they may come on several streams,
        // between which there is no order.
        const isScattered = (way: string): boolean => kind === 'stdio' && era === 'modern' && way === 'HTTP'
        const bare = (one: Transcript | undefined, way: string): unknown =>
          Object.fromEntries(
            Object.entries(one!).map(([what, texts]) => {
              const own = era === other ? texts : texts.map(withoutEra)
              return [what, what === 'told' && isScattered(way) ? own.toSorted() : own]
            }),
          )
        const all = generate(crossings, seed)
        for (let from = 0; from < all.length; from += BATCH) {
          const batch = all.slice(from, from + BATCH).map(one => between(one, era, other, kind))
          const own = batch.map(one => (other === 'modern' ? { ...one, request: one.modern } : { ...one, request: one.legacy }))
          const wanted = await play(own, direct, upstream)
          for (const [way, talker] of ways) {
            const got = await play(batch, talker, upstream)
            for (const { n } of batch) expect({ way, n, saw: bare(got.get(n), way) }).toEqual({ way, n, saw: bare(wanted.get(n), way) })
          }
        }
        for (const [, talker] of ways) talker.close()
        direct.close()
        await gateway.stop()
        await upstream.close()
      })
    }
  }
})

const params = members.map(text => `{${text}}`)

it(`lists of one server are the bytes of the server, over HTTP and stdio on both sides (${runs} runs, FUZZ_SEED=${seed})`, {
  timeout: 120_000,
}, async () => {
  let texts: Record<string, string> = {}
  const fields = Object.entries({
    'tools/list': 'tools',
    'resources/list': 'resources',
    'resources/templates/list': 'resourceTemplates',
    'prompts/list': 'prompts',
  } as const)
  const handlers = Object.fromEntries(
    fields.map(([method]) => [method, (got: { result(json: string): void }) => got.result(texts[method]!)]),
  )
  const script = { on: { ...on, ...handlers }, capabilities }
  const page = ([method, field]: (typeof fields)[number]) =>
    fc
      .integer({ min: 0, max: 4 })
      .chain(length =>
        fc
          .tuple(fc.tuple(...Array.from({ length }, (_, n) => entries[field](n))), listMembers)
          .map(([all, more]) => [method, `{"${field}":[${all.join(',')}]${more === '' ? '' : `,${more}`}}`] as const),
      )
  const [http, child] = [await startHttpUpstream(script), await startStdioUpstream(script)]
  for (const upstream of [http, child]) {
    const gateway = await startTestGateway({ servers: [upstream.server('up')], names: 'bare', stdio: true })
    const clients = [await connectHttp(gateway, { path: '/mcp/up' }), await connectHttp(gateway)]
    const lines = await connectStdio(gateway)
    await fc.assert(
      fc.asyncProperty(fc.tuple(...fields.map(page)), async given => {
        texts = Object.fromEntries(given)
        // A list is good for a moment, where nothing else was asked meanwhile.
        await lines.ask('x/odd')
        for (const [method, text] of given) {
          const request = `{"jsonrpc":"2.0","id":7,"method":"${method}"}`
          for (const client of clients) expect((await client.post(request)).text).toBe(`{"jsonrpc":"2.0","id":7,"result":${text}}`)
          const said = lines.lines.length
          lines.write(request)
          await lines.find(() => true, said)
          expect(lines.lines[said]).toBe(`{"jsonrpc":"2.0","id":7,"result":${text}}`)
        }
      }),
      { numRuns: runs, seed },
    )
    await gateway.stop()
  }
  await http.close()
  await child.close()
})

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
