// Resources, subscriptions, completion and log levels: the right server, the uri the client knows, told only to whoever asked.
import { describe, expect, it } from 'vitest'
import type { Resource } from '../../../core/plugin/index.ts'
import { connectHttp, connectStdio } from '../data-plane/clients.ts'
import { authenticating, plugin, startTestGateway, type TestGateway, type TestGatewayOptions, until } from '../data-plane/gateway.ts'
import { type HttpUpstream, startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import type { Handler, Received, ScriptOptions } from '../data-plane/script.ts'
import { type StdioUpstream, startStdioUpstream } from '../data-plane/stdio-upstream.ts'

const opened = closeAfterEach()
async function gatewayTo(servers: TestGatewayOptions['servers'], more: Partial<TestGatewayOptions> = {}): Promise<TestGateway> {
  const gateway = await startTestGateway({ servers, ...more })
  opened(gateway)
  return gateway
}

const empty: Handler = received => received.result('{}')
function offering(name: string, resources: readonly string[], templates: readonly string[] = []): ScriptOptions {
  return {
    capabilities: '{"resources":{"subscribe":true,"listChanged":true},"logging":{},"completions":{},"prompts":{}}',
    on: {
      'resources/list': received => received.result(JSON.stringify({ resources: resources.map(uri => ({ uri, name: uri })) })),
      'resources/templates/list': received =>
        received.result(JSON.stringify({ resourceTemplates: templates.map(uri => ({ uriTemplate: uri, name: uri })) })),
      'resources/read': received => received.result(`{"contents":[],"by":"${name}","uri":${JSON.stringify(received.message.params.uri)}}`),
      'prompts/list': received => received.result('{"prompts":[{"name":"p.q"}]}'),
      'completion/complete': received => received.result(`{"by":"${name}","ref":${JSON.stringify(received.message.params.ref)}}`),
      'resources/subscribe': empty,
      'resources/unsubscribe': empty,
      'logging/setLevel': empty,
    },
  }
}
async function remote(name: string, resources: readonly string[], templates?: readonly string[]): Promise<HttpUpstream> {
  const upstream = await startHttpUpstream({ ...offering(name, resources, templates), stream: true })
  opened(upstream)
  return upstream
}
async function child(name: string, resources: readonly string[]): Promise<StdioUpstream> {
  const upstream = await startStdioUpstream(offering(name, resources))
  opened(upstream)
  return upstream
}
const updated = (uri: string): string => `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"${uri}","x":1.0}}`
const log = (level: string, data: string): string =>
  `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"${level}","data":"${data}"}}`

describe('reading', () => {
  it('a uri of two servers is shown once for each, and each is read from its own; unlisted ones go by template, then by scheme', async () => {
    const [a, b] = [
      await remote('a', ['mem://same', 'mem://a'], ['file:///{path}']),
      await remote('b', ['mem://same', 'note://b'], ['git://{repo}/{ref}/x']),
    ]
    const client = await connectHttp(await gatewayTo([a.server('a'), b.server('b')]))
    const listed = (await client.ask('resources/list')).result.resources.map((one: { uri: string }) => one.uri)
    expect(listed).toEqual(['mcpgw-server:a/mem://same', 'mem://a', 'mcpgw-server:b/mem://same', 'note://b'])
    const read = async (uri: string): Promise<unknown> => {
      const { result, error } = await client.ask('resources/read', { uri })
      return result === undefined ? error.code : `${result.by} ${result.uri}`
    }
    expect(await read('mcpgw-server:a/mem://same')).toBe('a mem://same')
    expect(await read('mcpgw-server:b/mem://same')).toBe('b mem://same')
    expect(await read('mem://a')).toBe('a mem://a')
    expect(await read('note://b')).toBe('b note://b')
    expect(await read('file:///etc/x')).toBe('a file:///etc/x')
    expect(await read('git://r/main/x')).toBe('b git://r/main/x')
    expect(await read('note://new')).toBe('b note://new')
    expect(await read('mem://new')).toBe(-32002)
    expect(await read('gopher://x')).toBe(-32002)
    expect(await read('mcpgw-server:none/mem://same')).toBe(-32002)
    expect(await read('mcpgw-server:')).toBe(-32002)
    expect((await client.ask('resources/read', {})).error.code).toBe(-32602)
    expect((await client.ask('resources/read', { uri: 7 })).error.code).toBe(-32602)
  })

  it('asks a server without templates for them once, not with every reading', async () => {
    const upstream = await remote('a', ['mem://a'])
    upstream.handlers.delete('resources/templates/list')
    const client = await connectHttp(await gatewayTo([upstream.server('a')]))
    for (let i = 0; i < 5; i++) await client.ask('resources/read', { uri: `other://${i}` })
    expect(upstream.of('resources/templates/list')).toHaveLength(1)
    expect(upstream.of('resources/read')).toHaveLength(5)
  })

  it('completion is asked of the server that the reference belongs to, under its own name', async () => {
    const [a, b] = [await remote('a', [], ['x://{id}']), await remote('b', [], ['x://{id}'])]
    const client = await connectHttp(await gatewayTo([a.server('a'), b.server('b')]))
    const argument = { name: 'id', value: '1' }
    const complete = async (ref: unknown): Promise<unknown> => (await client.ask('completion/complete', { ref, argument })).result
    const [first, second] = (await client.ask('prompts/list')).result.prompts.map((one: { name: string }) => one.name)
    expect(await complete({ type: 'ref/prompt', name: first })).toEqual({ by: 'a', ref: { type: 'ref/prompt', name: 'p.q' } })
    expect(await complete({ type: 'ref/prompt', name: second })).toEqual({ by: 'b', ref: { type: 'ref/prompt', name: 'p.q' } })
    expect(await complete({ type: 'ref/resource', uri: 'mcpgw-server:b/x://{id}' })).toEqual({
      by: 'b',
      ref: { type: 'ref/resource', uri: 'x://{id}' },
    })
    for (const ref of [undefined, null, {}, { type: 'ref/odd' }, { type: 'ref/prompt' }, { type: 'ref/prompt', name: 'none' }]) {
      expect((await client.ask('completion/complete', { ref, argument })).error.code).toBe(-32602)
    }
  })
})

describe('a subscription', () => {
  it('is told to its subscriber alone, under the uri he knows, and for sub-resources but not for names that only begin alike', async () => {
    const [a, b] = [await child('a', ['mem://same', 'mem://dir']), await child('b', ['mem://same'])]
    const gateway = await gatewayTo([a.server('a'), b.server('b')])
    const [one, two] = [await connectHttp(gateway), await connectHttp(gateway)]
    const [ones, twos] = [await one.listen(), await two.listen()]
    for (const client of [one, two]) await client.ask('resources/list')
    await one.ask('resources/subscribe', { uri: 'mcpgw-server:a/mem://same' })
    await one.ask('resources/subscribe', { uri: 'mem://dir' })
    await two.ask('resources/subscribe', { uri: 'mcpgw-server:b/mem://same' })
    expect([...a.of('resources/subscribe'), ...b.of('resources/subscribe')].map(got => got.message.params.uri)).toEqual([
      'mem://same',
      'mem://dir',
      'mem://same',
    ])
    for (const uri of ['mem://same', 'mem://directory', 'mem://dir/sub', 'mem://dir', 'mem://none']) a.tell(updated(uri))
    b.tell(updated('mem://same'))
    await until(() => ones.messages.length >= 3 && twos.messages.length >= 1)
    const uris = (messages: readonly string[]): unknown[] => messages.map(text => JSON.parse(text).params.uri)
    expect(uris(ones.messages)).toEqual(['mcpgw-server:a/mem://same', 'mem://dir/sub', 'mem://dir'])
    expect(uris(twos.messages)).toEqual(['mcpgw-server:b/mem://same'])
    expect(ones.messages[1]).toContain('"x":1.0')
  })

  it('of several sessions at one server ends there with the last of them, whatever each calls the uri', async () => {
    const [a, b] = [await child('a', ['mem://same']), await child('b', ['mem://same'])]
    const gateway = await gatewayTo([a.server('a'), b.server('b')])
    const [all, own] = [await connectHttp(gateway), await connectHttp(gateway, { path: '/mcp/a' })]
    const [alls, owns] = [await all.listen(), await own.listen()]
    await all.ask('resources/list')
    await all.ask('resources/subscribe', { uri: 'mcpgw-server:a/mem://same' })
    await own.ask('resources/subscribe', { uri: 'mem://same' })
    await all.ask('resources/unsubscribe', { uri: 'mcpgw-server:a/mem://same' })
    expect(a.of('resources/unsubscribe')).toEqual([])
    a.tell(updated('mem://same'))
    expect((await owns.next()).params.uri).toBe('mem://same')
    expect(alls.messages).toEqual([])
    await own.ask('resources/unsubscribe', { uri: 'mem://same' })
    expect(a.of('resources/unsubscribe').map(got => got.message.params.uri)).toEqual(['mem://same'])
  })

  it('and a log level are told again to a server that was killed and started anew', async () => {
    const upstream = await child('a', ['mem://x'])
    const gateway = await gatewayTo([upstream.server('a')], { stdio: true })
    const client = await connectStdio(gateway)
    await client.ask('resources/subscribe', { uri: 'mem://x' })
    await client.ask('logging/setLevel', { level: 'warning' })
    await upstream.next('resources/subscribe')
    await upstream.next('logging/setLevel')
    upstream.kill()
    await until(() => upstream.processes.size === 0)
    await until(() => gateway.gateway.board.list()[0]!.state !== 'ready')
    // The first call after a crash may be refused until the server may start again.
    while ((await client.ask('resources/read', { uri: 'mem://x' })).error !== undefined)
      await new Promise(resolve => setTimeout(resolve, 50))
    expect((await upstream.next('resources/subscribe')).message.params).toEqual({ uri: 'mem://x' })
    expect((await upstream.next('logging/setLevel')).message.params).toEqual({ level: 'warning' })
    upstream.tell(updated('mem://x'))
    await client.find(message => message.method === 'notifications/resources/updated')
  })
})

describe('log messages', () => {
  it('reach each session from its own level on', async () => {
    const upstream = await child('a', [])
    const gateway = await gatewayTo([upstream.server('a')])
    const [loud, quiet] = [await connectHttp(gateway), await connectHttp(gateway)]
    const [louds, quiets] = [await loud.listen(), await quiet.listen()]
    for (const client of [loud, quiet]) await client.ask('resources/list')
    expect((await loud.ask('logging/setLevel', { level: 'debug' })).result).toEqual({})
    expect((await quiet.ask('logging/setLevel', { level: 'error' })).result).toEqual({})
    expect((await quiet.ask('logging/setLevel', {})).error.code).toBe(-32602)
    expect((await quiet.ask('logging/setLevel', { level: 'loud' })).error.code).toBe(-32602)
    // They share one process: it must say what the louder one wants to hear.
    await until(() => upstream.of('logging/setLevel').at(-1)?.message.params.level === 'debug')
    for (const level of ['debug', 'info', 'error', 'emergency']) upstream.tell(log(level, level))
    await until(() => louds.messages.length === 4)
    expect(quiets.messages.map(text => JSON.parse(text).params.level)).toEqual(['error', 'emergency'])
  })

  it('of a process that several principals share reach none of them: nobody knows whose they are', async () => {
    const upstream = await child('a', ['mem://x'])
    const gateway = await gatewayTo([upstream.server('a', { shared: true })], { plugins: [authenticating] })
    const [alice, bob] = [
      await connectHttp(gateway, { headers: { authorization: 'alice' } }),
      await connectHttp(gateway, { headers: { authorization: 'bob' } }),
    ]
    const [alices, bobs] = [await alice.listen(), await bob.listen()]
    await alice.ask('resources/list')
    upstream.tell(log('error', 'alice is alone'))
    expect((await alices.next()).params.data).toBe('alice is alone')
    await bob.ask('resources/list')
    upstream.tell(log('error', 'a secret of one'))
    upstream.tell('{"jsonrpc":"2.0","method":"notifications/resources/list_changed"}')
    await until(() => [alices, bobs].every(stream => stream.messages.some(text => text.includes('list_changed'))))
    expect([...alices.messages, ...bobs.messages].filter(text => text.includes('a secret of one'))).toEqual([])
  })
})

it('an alias of a server that is not there names no server in the record', async () => {
  const seen: Resource[] = []
  const recorder = plugin('recorder', ['records'], { onSettled: x => void seen.push(x.resource) })
  const upstream = opened(await startHttpUpstream())
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up')], plugins: [recorder] }))
  const client = await connectHttp(gateway)
  const uri = 'mcpgw-server:4111111111111111/x'
  expect((await client.ask('resources/read', { uri })).error.data.mcpgw.code).toBe('unknown-resource')
  expect(seen.at(-1)).toEqual({ kind: 'read', server: '', uri })
})

it('a session holds so many subscriptions, of so long uris, and no more', async () => {
  const on = {
    'resources/list': (received: Received) => received.result('{"resources":[{"name":"r","uri":"x://r"}]}'),
    'resources/subscribe': (received: Received) => received.result('{}'),
  }
  const capabilities = '{"resources":{"subscribe":true}}'
  const upstream = opened(await startStdioUpstream({ on, capabilities }))
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up')], stdio: true }))
  const client = await connectStdio(gateway)
  const subscribe = (uri: string) => client.ask('resources/subscribe', { uri })
  for (let i = 0; i < 1000; i++) expect((await subscribe(`x://${i}`)).error).toBe(undefined)
  expect((await subscribe('x://one-more')).error.data.mcpgw.code).toBe('rate-limited')
  expect((await subscribe('x://7')).error).toBe(undefined)
  expect((await (await connectHttp(gateway)).ask('resources/subscribe', { uri: `x://${'x'.repeat(10_000)}` })).error.data.mcpgw.code).toBe(
    'too-large',
  )
})
