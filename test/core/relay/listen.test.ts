// A stateless client hears of changes on streams that it opens: what it asked for, what it may have, each tagged with the request it came by.
import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../../core/plugin/index.ts'
import { openStdio } from '../data-plane/clients.ts'
import { authenticating, plugin, startTestGateway, type TestGatewayOptions, until } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import type { Received, ScriptOptions } from '../data-plane/script.ts'
import { envelope, visitHttp } from '../data-plane/stateless-client.ts'
import { startStdioUpstream } from '../data-plane/stdio-upstream.ts'

const opened = closeAfterEach()
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId'
const OFFERS = '{"tools":{"listChanged":true},"resources":{"subscribe":true,"listChanged":true},"prompts":{}}'
const on = {
  'resources/list': (received: Received) => received.result('{"resources":[{"name":"a","uri":"test://a"},{"name":"b","uri":"test://b"}]}'),
  'resources/templates/list': (received: Received) => received.result('{"resourceTemplates":[]}'),
  'resources/subscribe': (received: Received) => received.result('{}'),
  'resources/unsubscribe': (received: Received) => received.result('{}'),
}
const changed = (what: string): string => `{"jsonrpc":"2.0","method":"notifications/${what}/list_changed"}`
const updated = (uri: string): string => `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"${uri}"}}`

async function start(options: Partial<TestGatewayOptions> = {}, script: ScriptOptions = {}) {
  const upstream = opened(await startStdioUpstream({ capabilities: OFFERS, on, ...script }))
  const protocol = script.modern === undefined ? ('legacy' as const) : ('auto' as const)
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up', { protocol })], ...options }))
  return { upstream, gateway }
}
const all = { toolsListChanged: true, promptsListChanged: true, resourceSubscriptions: ['test://a'] }

describe('a stream of changes', () => {
  it('begins with what will be told, and carries that and nothing else', async () => {
    const { upstream, gateway } = await start()
    const stream = await visitHttp(gateway).start('subscriptions/listen', { notifications: all }, { id: 'L-1' })
    expect(await stream.next()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: {
        notifications: all,
        _meta: { [SUBSCRIPTION]: 'L-1' },
      },
    })
    upstream.tell(changed('resources'))
    upstream.tell('{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":1}}')
    upstream.tell(updated('test://b'))
    upstream.tell(updated('test://a'))
    expect(await stream.next()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/resources/updated',
      params: { uri: 'test://a', _meta: { [SUBSCRIPTION]: 'L-1' } },
    })
    upstream.tell(changed('tools'))
    expect(await stream.next()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/tools/list_changed',
      params: { _meta: { [SUBSCRIPTION]: 'L-1' } },
    })
    stream.drop()
    expect((await upstream.next('resources/unsubscribe')).message.params).toEqual({ uri: 'test://a' })
    await until(() => [...gateway.gateway.sessions.all()].every(session => session.idle))
  })

  it('tells of servers that come and go, where none of them promises to tell of its lists', async () => {
    const { upstream, gateway } = await start({}, { capabilities: '{"tools":{}}' })
    const more = opened(await startStdioUpstream({ capabilities: '{"tools":{}}' }))
    const client = visitHttp(gateway)
    const { capabilities } = (await client.ask('server/discover')).result
    expect(capabilities.tools).toEqual({ listChanged: true })
    const stream = await client.start('subscriptions/listen', { notifications: { toolsListChanged: true } })
    expect((await stream.next()).params.notifications).toEqual({ toolsListChanged: true })
    const servers = [upstream, more].map((one, at) => one.server(['up', 'more'][at]!, { protocol: 'legacy' }))
    gateway.gateway.change(servers)
    expect((await stream.next()).method).toBe('notifications/tools/list_changed')
    expect((await client.ask('tools/list')).result.tools).toHaveLength(2)
    stream.drop()
  })

  it('is one of several: each hears with its own id, and a server is left when the last is gone', async () => {
    const { upstream, gateway } = await start()
    const client = visitHttp(gateway)
    const streams = [
      await client.start('subscriptions/listen', { notifications: { resourceSubscriptions: ['test://a'] } }, { id: 1 }),
      await client.start('subscriptions/listen', { notifications: { resourceSubscriptions: ['test://a', 'test://b'] } }, { id: '1' }),
    ]
    for (const stream of streams) await stream.next()
    upstream.tell(updated('test://a'))
    const heard = await Promise.all(streams.map(stream => stream.next()))
    expect(heard.map(({ params }) => params._meta[SUBSCRIPTION])).toEqual([1, '1'])
    streams[0]!.drop()
    await until(() => [...gateway.gateway.sessions.all()].every(session => session.listeners.size === 1))
    expect(upstream.of('resources/unsubscribe')).toHaveLength(0)
    streams[1]!.drop()
    const left = [await upstream.next('resources/unsubscribe'), await upstream.next('resources/unsubscribe')]
    expect(new Set(left.map(({ message }) => message.params.uri))).toEqual(new Set(['test://a', 'test://b']))
  })

  it('tells of no resource that this caller may not subscribe to', async () => {
    const settled: [string, Outcome['kind']][] = []
    const deciding = plugin('gate', ['decides'], {
      onRequest: ({ resource }) =>
        resource.kind === 'read' && resource.uri === 'test://b'
          ? { kind: 'deny', code: 'denied', reason: 'no' }
          : { kind: 'allow', rules: [], obligations: [] },
      onSettled: ({ action }, { kind }) => void settled.push([action, kind]),
    })
    const { upstream, gateway } = await start({ plugins: [authenticating, deciding] })
    const stream = await visitHttp(gateway, { headers: { authorization: 'ada' } }).start('subscriptions/listen', {
      notifications: { resourceSubscriptions: ['test://a', 'test://b'] },
    })
    expect((await stream.next()).params.notifications).toEqual({ resourceSubscriptions: ['test://a'] })
    expect(upstream.of('resources/subscribe').map(({ message }) => message.params.uri)).toEqual(['test://a'])
    expect(settled).toContainEqual(['resources/subscribe', 'denied'])
    upstream.tell(updated('test://b'))
    upstream.tell(updated('test://a'))
    expect((await stream.next()).params.uri).toBe('test://a')
    stream.drop()
    await until(() => settled.some(([action, kind]) => action === 'subscriptions/listen' && kind === 'cancelled'))
  })

  it('passes the plugins', async () => {
    const hiding = plugin('hide', [], {
      onNotification: (_x, { method }) => (method === 'notifications/tools/list_changed' ? { kind: 'drop' } : { kind: 'pass' }),
    })
    const { upstream, gateway } = await start({ plugins: [hiding] })
    const stream = await visitHttp(gateway).start('subscriptions/listen', {
      notifications: { toolsListChanged: true, resourcesListChanged: true },
    })
    await stream.next()
    upstream.tell(changed('tools'))
    upstream.tell(changed('resources'))
    expect((await stream.next()).method).toBe('notifications/resources/list_changed')
  })

  it('ends with an answer where the gateway stops', async () => {
    const { gateway } = await start()
    const stream = await visitHttp(gateway).start('subscriptions/listen', { notifications: all }, { id: 9 })
    await stream.next()
    await gateway.stop()
    expect(await stream.next()).toEqual({
      jsonrpc: '2.0',
      id: 9,
      result: { resultType: 'complete', _meta: { [SUBSCRIPTION]: 9 } },
    })
  })

  it('tells of what a stateless server tells of', async () => {
    const { upstream, gateway } = await start(
      {},
      {
        modern: OFFERS,
        on: {
          ...on,
          'subscriptions/listen': received => {
            const _meta = { [SUBSCRIPTION]: received.message.id }
            const { notifications } = received.message.params
            received.say(
              JSON.stringify({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params: { _meta, notifications } }),
            )
          },
        },
      },
    )
    const stream = await visitHttp(gateway).start('subscriptions/listen', { notifications: all })
    expect((await stream.next()).params.notifications).toEqual(all)
    const listening = upstream.of('subscriptions/listen').at(-1)!
    const tagged = { _meta: { [SUBSCRIPTION]: listening.message.id } }
    listening.say(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tools/list_changed', params: tagged }))
    expect((await stream.next()).method).toBe('notifications/tools/list_changed')
    listening.say(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: 'test://a', ...tagged } }))
    expect((await stream.next()).params.uri).toBe('test://a')
  })

  it.each([undefined, [], { toolsListChanged: true, resourceSubscriptions: [7] }, { resourceSubscriptions: Array(1001).fill('test://a') }])(
    'is not opened for a filter that is none',
    async notifications => {
      const { gateway } = await start()
      expect(await visitHttp(gateway).ask('subscriptions/listen', { notifications })).toMatchObject({
        status: 200,
        error: { code: -32602 },
      })
    },
  )

  it('on standard streams ends by its id, and says which one was torn down', async () => {
    const { upstream, gateway } = await start({ stdio: true })
    const client = openStdio(gateway)
    const listen = (id: string) =>
      client.write(
        JSON.stringify({
          jsonrpc: '2.0',
          id,
          method: 'subscriptions/listen',
          params: { notifications: { toolsListChanged: true }, _meta: envelope('{}') },
        }),
      )
    listen('x')
    expect((await client.next()).params._meta).toEqual({ [SUBSCRIPTION]: 'x' })
    listen('y')
    expect((await client.next()).params._meta).toEqual({ [SUBSCRIPTION]: 'y' })
    client.write('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"x"}}')
    await until(() => [...gateway.gateway.sessions.all()].every(session => session.listeners.size < 2))
    upstream.tell(changed('tools'))
    expect((await client.next()).params._meta).toEqual({ [SUBSCRIPTION]: 'y' })
    await gateway.stop()
    expect(await client.next()).toMatchObject({ id: 'y', result: { resultType: 'complete' } })
    expect(await client.next()).toMatchObject({ method: 'notifications/cancelled', params: { requestId: 'y' } })
  })
})

it('a change told on the stream of a call is told to the streams of changes, and the list is asked for anew', async () => {
  const upstream = opened(
    await startHttpUpstream({
      capabilities: OFFERS,
      on: {
        ...on,
        'tools/call': received => {
          received.say(changed('tools'))
          received.result('{"content":[]}')
        },
      },
    }),
  )
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up', { protocol: 'legacy' })] }))
  const client = visitHttp(gateway)
  const stream = await client.start('subscriptions/listen', { notifications: { toolsListChanged: true } })
  await stream.next()
  await client.ask('tools/list')
  const before = upstream.of('tools/list').length
  const called = await (await client.start('tools/call', { name: 'up__echo' })).done
  expect(called.messages).toHaveLength(1)
  expect((await stream.next()).method).toBe('notifications/tools/list_changed')
  await client.ask('tools/list')
  expect(upstream.of('tools/list').length).toBeGreaterThan(before)
})
