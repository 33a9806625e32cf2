// A trace that begins in the client is one trace through the gateway to the server, in every pair of transports and eras.
import { describe, expect, test } from 'vitest'
import { allow, deny, type Hooks } from '../../../core/plugin/index.ts'
import { describeCall } from '../../../core/telemetry/attributes.ts'
import type { Span } from '../../../core/telemetry/span.ts'
import { readTraceparent } from '../../../core/telemetry/trace-context.ts'
import { createTracer } from '../../../core/telemetry/tracer.ts'
import { connectHttp, connectStdio } from '../data-plane/clients.ts'
import { plugin, startTestGateway, type TestGatewayOptions, until } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { visitHttp } from '../data-plane/stateless-client.ts'
import { startStdioUpstream } from '../data-plane/stdio-upstream.ts'
import { realClock } from '../upstream/manual-clock.ts'

const opened = closeAfterEach()
const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'
const traceparent = `00-${TRACE}-${PARENT}-01`
const call = { name: 'up__echo', arguments: { a: 1 }, _meta: { traceparent, tracestate: 'k=v', 'x.test/own': 7 } }

interface How {
  readonly sample?: number
  readonly show?: (text: string) => string
  readonly plugins?: TestGatewayOptions['plugins']
  readonly upstream?: Awaited<ReturnType<typeof startHttpUpstream>> | Awaited<ReturnType<typeof startStdioUpstream>>
}

async function start({ sample = 1, show, plugins = [], upstream: given }: How = {}) {
  const upstream = opened(given ?? (await startHttpUpstream()))
  const spans: Span[] = []
  const tracing = createTracer({ sample, clock: realClock, show, keep: span => void spans.push(span) })
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up', { protocol: 'auto' })], plugins, tracing, stdio: true }))
  const ofKind = (kind: Span['kind'], method = 'tools/call') => spans.filter(one => one.kind === kind && one.name.startsWith(method))
  return { upstream, gateway, spans, ofKind }
}

const modern = '{"tools":{}}'
const upstreams = [
  ['stdio', 'legacy', () => startStdioUpstream()],
  ['http', 'legacy', () => startHttpUpstream()],
  ['stdio', 'modern', () => startStdioUpstream({ modern })],
  ['http', 'modern', () => startHttpUpstream({ modern })],
] as const

describe.each(upstreams)('to a server over %s, %s', (kind, era, open) => {
  test.each(['legacy http', 'legacy stdio', 'modern http'])('from a client, %s: client, gateway and server are one trace', async client => {
    const { upstream, gateway, ofKind } = await start({ upstream: await open() })
    if (client === 'modern http') await visitHttp(gateway).ask('tools/call', call)
    else await (client === 'legacy http' ? await connectHttp(gateway) : await connectStdio(gateway)).ask('tools/call', call)
    await until(() => ofKind('server').length === 1)
    const [server] = ofKind('server')
    const [sent] = ofKind('client')
    expect(server).toMatchObject({ name: 'tools/call echo', parentId: PARENT, context: { traceId: TRACE, isSampled: true } })
    expect(sent).toMatchObject({ name: 'tools/call echo', parentId: server!.context.spanId, context: { traceId: TRACE } })
    const { _meta } = (await upstream.next('tools/call')).message.params
    expect(readTraceparent(_meta.traceparent)).toEqual(sent!.context)
    expect(_meta).toMatchObject({ tracestate: 'k=v', 'x.test/own': 7 })
    expect('io.modelcontextprotocol/protocolVersion' in _meta).toBe(era === 'modern')
    expect(sent!.attributes).toMatchObject({
      'mcp.method.name': 'tools/call',
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'echo',
      'mcpgw.server': 'up',
      'network.transport': kind === 'stdio' ? 'pipe' : 'tcp',
    })
    expect(server!.attributes).toMatchObject({ 'mcpgw.outcome': 'answered', 'mcpgw.call_id': expect.any(String) })
    expect(server!.attributes['network.transport']).toBe(client === 'legacy stdio' ? 'pipe' : 'tcp')
    expect(server!.start).toBeLessThanOrEqual(sent!.start)
    expect(sent!.end).toBeLessThanOrEqual(server!.end)
  })
})

test('a span says which version of the server it was', () => {
  const call = { kind: 'call', server: 'crm', tool: 'find' } as const
  expect(describeCall('tools/call', { ...call, version: '2.0.0' })).toMatchObject({
    'mcpgw.server': 'crm',
    'mcpgw.server_version': '2.0.0',
  })
  expect(describeCall('tools/call', call)['mcpgw.server_version']).toBeUndefined()
})

test('without one a trace begins here; what a header says is a link and no parent', async () => {
  const { gateway, ofKind } = await start()
  const client = await connectHttp(gateway, { headers: { traceparent } })
  await client.ask('tools/call', { name: 'up__echo', arguments: {}, _meta: { traceparent: 'nonsense' } })
  await until(() => ofKind('server').length === 1)
  const [span] = ofKind('server')
  expect(span!.parentId).toBeUndefined()
  expect(span!.context.traceId).not.toBe(TRACE)
  expect(span!.links).toEqual([{ traceId: TRACE, spanId: PARENT, isSampled: true }])
})

test('params without _meta get one for the trace, and one that is no object stays as it is', async () => {
  const { upstream, gateway } = await start()
  const client = await connectHttp(gateway)
  await client.ask('tools/call', { name: 'up__echo', arguments: {} })
  expect(Object.keys((await upstream.next('tools/call')).message.params._meta)).toEqual(['traceparent'])
  await client.ask('tools/call', { name: 'up__echo', arguments: {}, _meta: 7 })
  expect((await upstream.next('tools/call')).message.params._meta).toBe(7)
})

test('what is not sampled is told on as that, and is no span', async () => {
  const { upstream, gateway, spans } = await start({ sample: 0 })
  const client = await connectHttp(gateway)
  await client.ask('tools/call', { name: 'up__echo', arguments: {} })
  expect(readTraceparent((await upstream.next('tools/call')).message.params._meta.traceparent)?.isSampled).toBe(false)
  await client.ask('tools/call', { ...call, _meta: { traceparent: traceparent.replace(/1$/, '0') } })
  const second = readTraceparent((await upstream.next('tools/call')).message.params._meta.traceparent)
  expect([second?.isSampled, second?.traceId]).toEqual([false, TRACE])
  expect(spans).toEqual([])
})

/** Decides about calls; all else is allowed. */
const decider = (decide: () => ReturnType<NonNullable<Hooks['onRequest']>>) => [
  plugin('policy', ['decides'], { onRequest: x => (x.resource.kind === 'call' ? decide() : allow(['r'])) }),
]

describe('what became of a call', () => {
  const ask = async (how: How, name = 'up__echo', more: object = {}) => {
    const world = await start(how)
    const client = await connectHttp(world.gateway)
    await client.ask('tools/call', { name, arguments: { secret: 'hunter2' }, ...more })
    await until(() => world.ofKind('server').length === 1)
    return { ...world, attributes: world.ofKind('server')[0]!.attributes }
  }

  test('a denied one went to no server, and says by whom it was denied', async () => {
    const { attributes, ofKind } = await ask({ plugins: decider(() => deny('denied', 'no', { rules: ['never'] })) })
    expect(attributes).toMatchObject({ 'mcpgw.outcome': 'denied', 'mcpgw.code': 'denied', 'mcpgw.decided_by': 'policy/never' })
    expect(attributes['error.type']).toMatch(/^-?\d+$/)
    expect(ofKind('client')).toEqual([])
  })

  test('a tool that says it failed is tool_error, an error of the server its code', async () => {
    const failing = await startHttpUpstream({ on: { 'tools/call': got => got.result('{"content":[],"isError":true}') } })
    const tool = await ask({ upstream: failing })
    expect(tool.attributes).toMatchObject({ 'mcpgw.outcome': 'tool-error', 'error.type': 'tool_error' })
    expect(tool.ofKind('client')[0]!.attributes).toMatchObject({ 'error.type': 'tool_error' })
    const broken = await startHttpUpstream({ on: { 'tools/call': got => got.error(-32050, 'out of order') } })
    const server = await ask({ upstream: broken })
    const code = { 'error.type': '-32050', 'rpc.response.status_code': '-32050' }
    expect(server.attributes).toMatchObject({ 'mcpgw.outcome': 'failed', ...code })
    expect(server.ofKind('client')[0]!.attributes).toMatchObject(code)
  })

  test('names that callers invent are in no name of a span', async () => {
    const { ofKind } = await ask({}, 'up__invented')
    expect(ofKind('server')[0]!.name).toBe('tools/call')
  })

  test('each hook is a span below that of the call, and a failure is marked', async () => {
    const slow = plugin('slow', [], { onResponse: async () => ({ kind: 'pass' }) })
    const broken = decider(() => {
      throw new Error('inside')
    })
    const good = await ask({ plugins: [...decider(() => allow(['r'])), slow] })
    const [server] = good.ofKind('server')
    const hooks = good.spans.filter(one => one.kind === 'internal' && one.parentId === server!.context.spanId)
    expect(hooks.map(({ name }) => name)).toEqual(['policy onRequest', 'slow onResponse'])
    const bad = await ask({ plugins: broken })
    const [failed] = bad.spans.filter(one => one.name === 'policy onRequest' && one.parentId === bad.ofKind('server')[0]!.context.spanId)
    expect(failed!.attributes).toMatchObject({ 'mcpgw.plugin': 'policy', 'mcpgw.hook': 'onRequest', 'error.type': 'threw' })
    expect(JSON.stringify(bad.spans)).not.toContain('inside')
  })

  test('lines of the log about it have the id of its trace', async () => {
    const { gateway } = await ask({ plugins: decider(() => deny('denied', 'no')) }, 'up__echo', { _meta: { traceparent } })
    expect(gateway.logged.find(({ message }) => message === 'denied')?.fields).toMatchObject({ traceId: TRACE, callId: expect.any(String) })
  })
})

describe('arguments and results', () => {
  const masking = plugin('mask', ['masks'], {
    onRequest: ({ params, resource }) =>
      resource.kind === 'call'
        ? { kind: 'rewrite', value: { ...(params.value as object), arguments: { secret: '***' } } }
        : { kind: 'pass' },
  })
  const ask = async (how: How) => {
    const world = await start(how)
    const client = await connectHttp(world.gateway)
    await client.ask('tools/call', { name: 'up__echo', arguments: { secret: 'hunter2' } })
    await until(() => world.ofKind('server').length === 1)
    return world
  }

  test('are in no span', async () => {
    const { spans } = await ask({})
    expect(JSON.stringify(spans)).not.toContain('hunter2')
  })

  test('are there where that is wanted: as they were sent and shown, masked once more', async () => {
    const { ofKind, upstream } = await ask({ plugins: [masking], show: text => text.replaceAll('"', "'") })
    expect(ofKind('server')[0]!.attributes).toMatchObject({
      'gen_ai.tool.call.arguments': "{'secret':'***'}",
      'gen_ai.tool.call.result': "{'content':[],'echo':{'secret':'***'}}",
    })
    expect((await upstream.next('tools/call')).message.params.arguments).toEqual({ secret: '***' })
  })

  test('are not there of what was denied: nothing has masked it', async () => {
    const { spans } = await ask({ plugins: decider(() => deny('denied', 'no')), show: text => text })
    expect(JSON.stringify(spans)).not.toContain('hunter2')
  })
})

test('what was decided and sealed is without the trace of the gateway, and what was masked stays masked', async () => {
  let sealed: unknown
  const seeing = plugin('record', ['records'], {
    onSealed(x) {
      sealed = x.sent.value
      return { kind: 'pass' }
    },
  })
  const { upstream, gateway } = await start({ plugins: [seeing] })
  const client = await connectHttp(gateway)
  await client.ask('tools/call', call)
  expect(sealed).toEqual(call)
  const { params } = (await upstream.next('tools/call')).message
  expect({ ...params, _meta: undefined }).toEqual({ ...call, name: 'echo', _meta: undefined })
})

test('without telemetry what a client says of its trace goes on byte for byte', async () => {
  const upstream = opened(await startHttpUpstream())
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up')], names: 'bare' }))
  const client = await connectHttp(gateway)
  const params = `{"name":"echo" , "_meta":{ "traceparent" :"${traceparent}"},"arguments":{"n":1.0}}`
  await client.post(`{"jsonrpc":"2.0","id":9,"method":"tools/call","params":${params}}`)
  expect((await upstream.next('tools/call')).text).toContain(params)
})
