// Peers that write what no schema allows, or ask for more than their share: it costs them their message, and nobody else anything.
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { Principal } from '../../../core/plugin/index.ts'
import { connectHttp } from '../data-plane/clients.ts'
import { authenticating, plugin, startTestGateway, until } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { leaveOpen, type Received, type Script } from '../data-plane/script.ts'
import { envelope, visitHttp } from '../data-plane/stateless-client.ts'
import { startStdioUpstream } from '../data-plane/stdio-upstream.ts'

const opened = closeAfterEach()
const ABLE = '{"elicitation":{"form":{}},"sampling":{}}'
const OFFERS = '{"tools":{"listChanged":true},"resources":{"subscribe":true}}'
const FORM = '{"method":"elicitation/create","params":{"mode":"form","message":"who?","requestedSchema":{"type":"object","properties":{}}}}'
const request = (id: number, method: string, params: object): string => JSON.stringify({ jsonrpc: '2.0', id, method, params })
const call = { name: 'up__echo', arguments: {} }

describe.each(['stdio', 'http'] as const)('a server over %s', way => {
  async function start(options: Parameters<typeof startStdioUpstream>[0]) {
    const upstream = opened(way === 'stdio' ? await startStdioUpstream(options) : await startHttpUpstream({ ...options, stream: true }))
    const gateway = opened(await startTestGateway({ servers: [upstream.server('up', { protocol: 'auto' })] }))
    const bugs = () => gateway.logged.filter(line => line.message.startsWith('bug'))
    return { upstream: upstream as Script, gateway, bugs }
  }

  it.each(['5', 'null', '[]', '"x"'])('whose notification has %s for _meta ends nothing, and is heard', async meta => {
    const { upstream, gateway, bugs } = await start({
      capabilities: OFFERS,
      on: {
        'resources/list': received => received.result('{"resources":[{"uri":"x://a","name":"a"}]}'),
        'resources/templates/list': received => received.result('{"resourceTemplates":[]}'),
        'resources/subscribe': received => received.result('{}'),
        'resources/unsubscribe': received => received.result('{}'),
        'tools/call': received => {
          received.say(`{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"x://a","_meta":${meta}}}`)
          received.result('{"content":[]}')
        },
      },
    })
    const client = visitHttp(gateway)
    const stream = await client.start('subscriptions/listen', { notifications: { resourceSubscriptions: ['x://a'] } }, { id: 'L' })
    await stream.next()
    expect((await client.ask('tools/call', call)).result.content).toEqual([])
    expect(await stream.next()).toMatchObject({
      method: 'notifications/resources/updated',
      params: { uri: 'x://a', _meta: { 'io.modelcontextprotocol/subscriptionId': 'L' } },
    })
    stream.drop()
    await upstream.next('resources/unsubscribe')
    expect(bugs()).toEqual([])
  })

  it.each(['5', 'null', '[]'])('that answers %s where an object must stand has answered no stateless client', async result => {
    for (const modern of [undefined, '{"tools":{}}']) {
      const { gateway, bugs } = await start({ ...(modern && { modern }), on: { 'tools/call': received => received.result(result) } })
      expect((await visitHttp(gateway).ask('tools/call', call)).error.data.mcpgw.code).toBe('upstream-garbage')
      expect(bugs()).toEqual([])
    }
  })

  it('may call its questions what it likes', async () => {
    const { upstream, gateway } = await start({
      modern: '{"tools":{}}',
      on: {
        'tools/call': received =>
          received.message.params.inputResponses === undefined
            ? received.result(`{"resultType":"input_required","inputRequests":{"__proto__":${FORM},"constructor":${FORM}}}`)
            : received.result('{"content":[],"resultType":"complete"}'),
      },
    })
    const client = visitHttp(gateway, { capabilities: ABLE })
    const { requestState, inputRequests } = (await client.ask('tools/call', call)).result
    expect(Object.keys(inputRequests)).toEqual(['__proto__', 'constructor'])
    const inputResponses = JSON.parse('{"__proto__":{"action":"accept"},"constructor":{"action":"decline"}}')
    expect((await client.ask('tools/call', { ...call, requestState, inputResponses })).result.resultType).toBe('complete')
    expect(upstream.of('tools/call')[1]!.text).toContain(
      '"inputResponses":{"__proto__":{"action":"accept"},"constructor":{"action":"decline"}}',
    )
  })

  it('asks nothing with params that are none', async () => {
    const { gateway } = await start({
      modern: '{"tools":{}}',
      on: {
        'tools/call': received =>
          received.result('{"resultType":"input_required","inputRequests":{"a":{"method":"elicitation/create","params":"x"}}}'),
      },
    })
    expect((await visitHttp(gateway, { capabilities: ABLE }).ask('tools/call', call)).error.data.mcpgw.code).toBe('upstream-garbage')
  })
})

describe('a stateless client', () => {
  it('is asked as who makes the call, not as who came first', async () => {
    const asked: (readonly string[] | undefined)[] = []
    const roles = plugin('roles', ['authenticates'], {
      onRequest({ peer, direction, principal }) {
        if (direction === 'to-client') {
          asked.push(principal?.roles)
          return { kind: 'deny', code: 'denied', reason: 'not now' }
        }
        const made: Principal = { id: 'ada', roles: peer.header('x-roles'), tenant: 'default', claims: {}, via: { method: 'test' } }
        return { kind: 'identify', principal: made }
      },
    })
    const ask = (received: Received): void => received.result(`{"resultType":"input_required","inputRequests":{"a":${FORM}}}`)
    const upstream = opened(await startHttpUpstream({ modern: '{"tools":{}}', on: { 'tools/call': ask } }))
    const gateway = opened(await startTestGateway({ servers: [upstream.server('up', { protocol: 'auto' })], plugins: [roles] }))
    const client = visitHttp(gateway, { capabilities: ABLE })
    for (const role of ['admin', 'guest']) await client.ask('tools/call', call, { headers: { 'x-roles': role } })
    expect(asked).toEqual([['admin'], ['guest']])
  })

  it('cancels all that it sent over one connection by closing it', async () => {
    const upstream = opened(await startHttpUpstream({ on: { 'tools/call': leaveOpen } }))
    const gateway = opened(await startTestGateway({ servers: [upstream.server('up')] }))
    const one = (id: number): string => {
      const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { ...call, _meta: envelope('{}') } })
      const headers = {
        host: `127.0.0.1:${gateway.port}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'up__echo',
        'content-length': body.length,
      }
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
      return `POST /mcp HTTP/1.1\r\n${lines.join('')}\r\n${body}`
    }
    const socket = connect(gateway.port, '127.0.0.1')
    socket.write(one(1) + one(2) + one(3))
    await until(() => upstream.of('tools/call').length === 3)
    socket.destroy()
    await until(() => upstream.of('notifications/cancelled').length === 3)
  })

  it('that calls itself otherwise each time ends what is kept of it, and of nobody else', async () => {
    const upstream = opened(await startStdioUpstream({ on: { 'tools/call': leaveOpen } }))
    const gateway = opened(await startTestGateway({ servers: [upstream.server('up')], plugins: [authenticating] }))
    const bob = visitHttp(gateway, { headers: { authorization: 'bob' } })
    await bob.ask('tools/list')
    for (let i = 0; i < 120; i++) await visitHttp(gateway, { headers: { authorization: 'eve' }, name: `eve-${i}` }).ask('tools/list')
    expect(gateway.gateway.sessions.size).toBeLessThanOrEqual(51)
    const owners = [...gateway.gateway.sessions.all()].map(session => session.principal?.id)
    expect(owners.filter(id => id === 'bob')).toHaveLength(1)
  })

  it('has no more streams of changes than it may, however many it asks for at once', async () => {
    const upstream = opened(await startStdioUpstream({ capabilities: OFFERS }))
    const gateway = opened(await startTestGateway({ servers: [upstream.server('up')], stdio: true }))
    let said = ''
    gateway.output.on('data', chunk => {
      said += chunk
    })
    const params = { notifications: { toolsListChanged: true }, _meta: envelope('{}') }
    for (let id = 0; id < 120; id++)
      gateway.input.write(`${JSON.stringify({ jsonrpc: '2.0', id, method: 'subscriptions/listen', params })}\n`)
    const count = (word: string): number => said.split(word).length - 1
    await until(() => count('subscriptions/acknowledged') + count('rate-limited') === 120)
    expect(count('rate-limited')).toBe(20)
  })

  it('whose calls wait for him keeps nobody from the server, and each of them ends as it would have', async () => {
    const asking: Received[] = []
    const upstream = opened(
      await startHttpUpstream({
        stream: true,
        on: {
          'tools/call': received => {
            if (received.message.params.arguments.asks !== true) return received.result('{"content":[]}')
            asking.push(received)
            received.say(`{"jsonrpc":"2.0","id":"q${asking.length}",${FORM.slice(1)}`)
          },
        },
      }),
    )
    const server = upstream.server('up', { limits: { concurrency: 2, queue: 0 } })
    const gateway = opened(await startTestGateway({ servers: [server], plugins: [authenticating] }))
    const eve = visitHttp(gateway, { capabilities: ABLE, headers: { authorization: 'eve' } })
    const bob = visitHttp(gateway, { headers: { authorization: 'bob' } })
    const asks = { name: 'up__echo', arguments: { asks: true } }
    const parked: { readonly requestState: string; readonly inputRequests: object }[] = []
    for (let i = 0; i < 8; i++) parked.push((await eve.ask('tools/call', asks)).result)
    expect((await bob.ask('tools/call', call)).result.content).toEqual([])
    const ended = parked.map(({ requestState, inputRequests }) => {
      const inputResponses = Object.fromEntries(Object.keys(inputRequests).map(key => [key, { action: 'accept' }]))
      return eve.ask('tools/call', { ...asks, requestState, inputResponses })
    })
    await until(() => upstream.of('').length === 8)
    for (const received of asking) received.result('{"content":[]}')
    for (const { result } of await Promise.all(ended)) expect(result.resultType).toBe('complete')
    expect(gateway.gateway.board.gate('up').view).toMatchObject({ underWay: 0, busy: 0 })
    expect((await bob.ask('tools/call', call)).result.content).toEqual([])
  })

  it('that has a session and says nothing to what he is asked keeps nobody from a stateless server', async () => {
    const ask = (received: Received): void =>
      received.message.params.arguments.asks === true
        ? received.result(`{"resultType":"input_required","inputRequests":{"a":${FORM}}}`)
        : received.result('{"content":[],"resultType":"complete"}')
    const upstream = opened(await startHttpUpstream({ modern: '{"tools":{}}', on: { 'tools/call': ask } }))
    const server = upstream.server('up', { protocol: 'auto', limits: { concurrency: 2, queue: 0 } })
    const gateway = opened(await startTestGateway({ servers: [server] }))
    const eve = await connectHttp(gateway, { capabilities: ABLE })
    for (let id = 1; id <= 4; id++) {
      const stream = await eve.start(request(id, 'tools/call', { name: 'up__echo', arguments: { asks: true } }))
      expect((await stream.next()).method).toBe('elicitation/create')
    }
    expect((await visitHttp(gateway).ask('tools/call', call)).result.content).toEqual([])
    await eve.end()
    await until(() => gateway.gateway.board.gate('up').view.underWay === 0)
  })
})
