// Clients of revision 2026-07-28 in front of servers with sessions: no handshake, and the answers are those of their revision.
import { describe, expect, it } from 'vitest'
import { connectHttp } from '../data-plane/clients.ts'
import { authenticating, plugin, startTestGateway, type TestGateway, type TestGatewayOptions, until } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { leaveOpen } from '../data-plane/script.ts'
import { envelope, MODERN, visitHttp } from '../data-plane/stateless-client.ts'
import { startStdioUpstream } from '../data-plane/stdio-upstream.ts'

const opened = closeAfterEach()
async function gatewayTo(servers: TestGatewayOptions['servers'], more: Partial<TestGatewayOptions> = {}): Promise<TestGateway> {
  return opened(await startTestGateway({ servers, ...more }))
}

describe('a stateless client', () => {
  it('discovers what the servers offer, in the words of its revision', async () => {
    const capabilities = '{"tools":{"listChanged":true},"tasks":{"list":{}},"logging":{}}'
    const upstream = opened(await startHttpUpstream({ capabilities }))
    const gateway = await gatewayTo([upstream.server('up')])
    const { status, result } = await visitHttp(gateway).ask('server/discover')
    expect(status).toBe(200)
    expect(result).toEqual({
      resultType: 'complete',
      supportedVersions: [MODERN],
      capabilities: { tools: { listChanged: true }, logging: {} },
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'mcpgw', title: 'mcpgw', version: '0.0.0' } },
      ttlMs: 0,
      cacheScope: 'private',
    })
    const own = await visitHttp(gateway, { path: '/mcp/up' }).ask('server/discover')
    expect(own.result._meta).toEqual({ 'io.modelcontextprotocol/serverInfo': { name: 'scripted', version: '1' } })
    expect(own.result).not.toHaveProperty('protocolVersion')
  })

  it('lists and calls without a session, and its envelope stays here', async () => {
    const upstream = opened(await startHttpUpstream())
    const gateway = await gatewayTo([upstream.server('up')])
    const client = visitHttp(gateway)
    const listed = await client.ask('tools/list')
    expect(listed.result).toMatchObject({ resultType: 'complete', ttlMs: 0, cacheScope: 'private', tools: [{ name: 'up__echo' }] })
    const called = await client.ask('tools/call', { name: 'up__echo', arguments: { a: 1 }, _meta: { 'x.example/y': 1 } })
    expect(called.result).toEqual({ content: [], echo: { a: 1 }, resultType: 'complete' })
    expect(upstream.of('tools/call')[0]!.message.params).toEqual({ name: 'echo', arguments: { a: 1 }, _meta: { 'x.example/y': 1 } })
    const response = await (await client.start('tools/list', {}, { headers: { 'mcp-session-id': 'made-up', 'last-event-id': '7' } })).done
    expect(response.status).toBe(200)
    expect(response.headers).not.toHaveProperty('mcp-session-id')
  })

  it('is served in front of a server on standard streams, beside a client with a session', async () => {
    const upstream = opened(await startStdioUpstream())
    const gateway = await gatewayTo([upstream.server('up')])
    const older = await connectHttp(gateway)
    const answers = await Promise.all([
      visitHttp(gateway).ask('tools/call', { name: 'up__echo', arguments: { era: 'modern' } }),
      older.ask('tools/call', { name: 'up__echo', arguments: { era: 'legacy' } }),
    ])
    expect(answers[0].result.echo).toEqual({ era: 'modern' })
    expect(answers[1].result).toEqual({ content: [], echo: { era: 'legacy' } })
  })

  it('finds no method that its revision has not, and none that no server offers', async () => {
    const upstream = opened(await startHttpUpstream())
    const gateway = await gatewayTo([upstream.server('up')])
    const client = visitHttp(gateway)
    const gone = ['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe', 'tasks/list', 'tasks/result']
    for (const method of [...gone, 'unknown/method', 'prompts/list', 'resources/list']) {
      const { status, error, id } = await client.ask(method, {}, { id: `of ${method}` })
      expect({ method, status, code: error?.code, id }).toEqual({ method, status: 404, code: -32601, id: `of ${method}` })
    }
  })

  it('gets a resource that is not there as invalid params', async () => {
    const upstream = opened(
      await startHttpUpstream({
        capabilities: '{"resources":{}}',
        on: { 'resources/read': received => received.error(-32002, 'no such resource') },
      }),
    )
    const gateway = await gatewayTo([upstream.server('up')])
    expect(await visitHttp(gateway).ask('resources/read', { uri: 'test://gone' })).toMatchObject({ status: 200, error: { code: -32602 } })
  })

  it('cancels by hanging up', async () => {
    const upstream = opened(await startHttpUpstream({ on: { 'tools/call': leaveOpen } }))
    const gateway = await gatewayTo([upstream.server('up')])
    const client = visitHttp(gateway)
    const calling = client.start('tools/call', { name: 'up__echo', _meta: { progressToken: 'mine' } })
    const received = await upstream.next('tools/call')
    received.say(
      `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${received.message.params._meta.progressToken},"progress":1}}`,
    )
    const stream = await calling
    expect((await stream.next()).params).toEqual({ progressToken: 'mine', progress: 1 })
    stream.drop()
    const cancelled = await upstream.next('notifications/cancelled')
    expect(cancelled.message.params.requestId).toBe(received.message.id)
  })

  it('hears log messages on the stream of a request that wants them, from its level on, and on no other', async () => {
    const upstream = opened(await startHttpUpstream({ capabilities: '{"tools":{},"logging":{}}', on: { 'tools/call': leaveOpen } }))
    const gateway = await gatewayTo([upstream.server('up')])
    const client = visitHttp(gateway)
    const say = (level: string): string =>
      `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"${level}","data":"${level}"}}`
    const quiet = client.start('tools/call', { name: 'up__echo' })
    const first = await upstream.next('tools/call')
    first.say(say('error'))
    first.result('{"content":[]}')
    expect((await (await quiet).done).messages).toHaveLength(1)
    const loud = client.start('tools/call', { name: 'up__echo' }, { meta: { 'io.modelcontextprotocol/logLevel': 'warning' } })
    const second = await upstream.next('tools/call')
    expect((await upstream.next('logging/setLevel')).message.params).toEqual({ level: 'warning' })
    second.say(say('info'))
    second.say(say('error'))
    second.result('{"content":[]}')
    const { messages } = await (await loud).done
    expect(messages.map(text => JSON.parse(text).params?.data)).toEqual(['error', undefined])
  })

  it('has what its requests share upstream for itself, one for each set of capabilities', async () => {
    const upstream = opened(await startHttpUpstream())
    const gateway = await gatewayTo([upstream.server('up')], { plugins: [authenticating] })
    const call = (who: string, capabilities: string) =>
      visitHttp(gateway, { capabilities, headers: { authorization: who } }).ask('tools/call', { name: 'up__echo' })
    for (const who of ['ada', 'bob', 'ada']) for (const able of ['{}', '{"roots":{}}']) expect((await call(who, able)).status).toBe(200)
    const declared = upstream.of('initialize').map(({ message }) => JSON.stringify(message.params.capabilities))
    expect(declared.filter(one => one === '{"roots":{}}')).toHaveLength(2)
    expect(new Set(upstream.of('tools/call').map(({ session }) => session)).size).toBe(4)
    expect((await visitHttp(gateway).ask('tools/call', { name: 'up__echo' })).status).toBe(401)
  })

  it('is refused by a plugin as any other client is, in its own words', async () => {
    const upstream = opened(await startHttpUpstream())
    const denying = plugin('no', ['decides'], { onRequest: () => ({ kind: 'deny', code: 'denied', reason: 'not today' }) })
    const gateway = await gatewayTo([upstream.server('up')], { plugins: [denying] })
    const { status, result } = await visitHttp(gateway).ask('tools/call', { name: 'up__echo' })
    expect(status).toBe(200)
    expect(result).toMatchObject({ resultType: 'complete', isError: true, content: [{ type: 'text', text: 'not today' }] })
    expect(upstream.of('tools/call')).toHaveLength(0)
  })

  it('gets what a plugin answers in the words of its revision too', async () => {
    const upstream = opened(await startHttpUpstream())
    const caching = plugin('cache', ['answers'], {
      onRequest: ({ action }) => (action === 'tools/call' ? { kind: 'answer', value: { content: [] } } : { kind: 'pass' }),
    })
    const gateway = await gatewayTo([upstream.server('up')], { plugins: [caching] })
    expect((await visitHttp(gateway).ask('tools/call', { name: 'up__echo' })).result).toEqual({ content: [], resultType: 'complete' })
  })

  it('notifies the servers of what no revision knows, as who it is', async () => {
    const upstream = opened(await startHttpUpstream())
    const gateway = await gatewayTo([upstream.server('up')], { plugins: [authenticating] })
    const client = visitHttp(gateway, { headers: { authorization: 'ada' } })
    await client.ask('tools/call', { name: 'up__echo' })
    const notify = (method: string, headers: Record<string, string> = {}) =>
      client.post(JSON.stringify({ jsonrpc: '2.0', method, params: { x: 1, _meta: envelope('{}') } }), {
        'mcp-protocol-version': MODERN,
        'mcp-method': method,
        ...headers,
      })
    expect((await notify('notifications/com.example/x', { authorization: '' })).status).toBe(401)
    expect((await notify('notifications/com.example/x', { 'mcp-method': 'notifications/other' })).status).toBe(400)
    expect((await notify('notifications/roots/list_changed')).status).toBe(202)
    expect((await notify('notifications/com.example/x')).status).toBe(202)
    const heard = await upstream.next('notifications/com.example/x')
    expect(heard.message.params).toEqual({ x: 1 })
    expect(heard.session).toBe(upstream.of('tools/call')[0]!.session)
    expect(upstream.seen.filter(({ method }) => method.startsWith('notifications/com.') || method.includes('roots'))).toHaveLength(1)
  })

  it('leaves nothing of 500 calls, whether it can be asked or not', async () => {
    const upstream = opened(await startHttpUpstream())
    const gateway = await gatewayTo([upstream.server('up')])
    for (const capabilities of ['{}', '{"roots":{}}']) {
      const client = visitHttp(gateway, { capabilities })
      for (let i = 0; i < 25; i++) await Promise.all(Array.from({ length: 10 }, () => client.ask('tools/call', { name: 'up__echo' })))
    }
    const kept = [...gateway.gateway.sessions.all()]
    expect(kept).toHaveLength(2)
    for (const { inflight, standing, listeners, idle } of kept)
      expect([inflight.size, standing.size, listeners.size, idle]).toEqual([0, 0, 0, true])
    expect(upstream.opened).toBe(2)
  })

  it('leaves nothing behind that a session id could open', async () => {
    const upstream = opened(await startHttpUpstream())
    const gateway = await gatewayTo([upstream.server('up')])
    await visitHttp(gateway).ask('tools/list')
    const kept = [...gateway.gateway.sessions.all()]
    expect(kept.map(({ era }) => era)).toEqual(['modern'])
    expect(gateway.gateway.sessions.find(kept[0]!.id)).toBeUndefined()
    await until(() => kept[0]!.idle)
  })
})
