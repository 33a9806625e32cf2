// Sessions: whose they are, and that nothing is left of them when they end.

import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { CreateMessageRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { describe, expect, it } from 'vitest'
import { call, connectHttp } from '../data-plane/clients.ts'
import { authenticating, startTestGateway, type TestGateway, type TestGatewayOptions, until } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { leaveOpen } from '../data-plane/script.ts'
import { startStdioUpstream } from '../data-plane/stdio-upstream.ts'
import { realClock } from '../upstream/manual-clock.ts'

const opened = closeAfterEach()
async function gatewayTo(servers: TestGatewayOptions['servers'], more: Partial<TestGatewayOptions> = {}): Promise<TestGateway> {
  const gateway = await startTestGateway({ servers, ...more })
  opened(gateway)
  return gateway
}

/** A clock that knows how many of its timers are set. */
function countingClock() {
  const set = new Set<object>()
  return {
    ...realClock,
    set,
    after(ms: number, run: () => void) {
      const one = {}
      set.add(one)
      const stop = realClock.after(ms, () => {
        set.delete(one)
        run()
      })
      return () => {
        set.delete(one)
        stop()
      }
    },
  }
}

describe('a session', () => {
  it('of one principal is unknown to every other, whatever he does with it', async () => {
    const upstream = opened(await startHttpUpstream({ on: { 'tools/call': leaveOpen } }))
    const gateway = await gatewayTo([upstream.server('up')], { plugins: [authenticating] })
    const alice = await connectHttp(gateway, { headers: { authorization: 'alice' }, capabilities: '{"sampling":{}}' })
    await alice.ask('tools/list')
    const stream = alice.start(call('slow', 'up__echo'))
    const received = await upstream.next('tools/call')
    received.say('{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{}}')
    const asked = await (await stream).next()
    const bob = { authorization: 'bob' }
    const attempts = [
      call(1, 'up__echo'),
      '{"jsonrpc":"2.0","id":1,"method":"ping"}',
      '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
      '{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"debug"}}',
      '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"slow"}}',
      '{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}',
      `{"jsonrpc":"2.0","id":${asked.id},"result":{"from":"bob"}}`,
    ]
    for (const text of attempts) expect((await alice.post(text, bob)).status, text).toBe(404)
    expect((await alice.end(bob)).status).toBe(404)
    const upstreamSaw = upstream.seen.length
    await alice.post(`{"jsonrpc":"2.0","id":${asked.id},"result":{"from":"alice"}}`)
    expect((await upstream.next('')).message.result).toEqual({ from: 'alice' })
    expect(upstream.seen.length).toBe(upstreamSaw + 1)
    received.result('{"content":[]}')
    expect((await (await stream).next()).result).toEqual({ content: [] })
    const anonymous = await alice.post('{"jsonrpc":"2.0","id":1,"method":"ping"}', { authorization: '' })
    expect(anonymous.status).toBe(401)
  })

  it('is good at the endpoint it was opened at alone', async () => {
    const upstream = opened(await startHttpUpstream())
    const gateway = await gatewayTo([upstream.server('up'), upstream.server('two')])
    const client = await connectHttp(gateway, { path: '/mcp/up' })
    const elsewhere = await connectHttp(gateway)
    expect((await elsewhere.post(call(1, 'echo'), { 'mcp-session-id': client.sessionId })).status).toBe(404)
  })

  it('that has ended is unknown; a stream of its own ends with it', async () => {
    const upstream = opened(await startHttpUpstream())
    const client = await connectHttp(await gatewayTo([upstream.server('up')]))
    const stream = await client.listen()
    expect((await client.end()).status).toBe(200)
    await stream.done
    expect((await client.post(call(1, 'up__echo'))).status).toBe(404)
    expect((await client.end()).status).toBe(404)
  })

  it('that opens a second stream loses the first', async () => {
    const upstream = opened(await startHttpUpstream({ capabilities: '{"tools":{"listChanged":true}}', stream: true }))
    const client = await connectHttp(await gatewayTo([upstream.server('up')]))
    await client.ask('tools/list')
    const first = await client.listen()
    const second = await client.listen()
    await first.done
    await upstream.listening()
    upstream.tell('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}')
    expect((await second.next()).method).toBe('notifications/tools/list_changed')
  })

  it('that ends while it calls leaves no process behind', async () => {
    const upstream = opened(await startStdioUpstream({ on: { 'tools/list': leaveOpen } }))
    const gateway = await gatewayTo([upstream.server('up')])
    const before = gateway.gateway.pool.size
    const client = await connectHttp(gateway, { capabilities: '{"roots":{}}' })
    const list = client.post('{"jsonrpc":"2.0","id":1,"method":"tools/list"}')
    const running = client.post(call(2, 'up__echo'))
    await upstream.next('tools/list')
    await client.end()
    await Promise.all([list, running])
    await until(() => upstream.processes.size === 1)
    expect(gateway.gateway.pool.size).toBe(before)
  })
})

describe('nothing is left', () => {
  const rounds = Number(process.env.SESSIONS ?? 1000)
  it(`of ${rounds} sessions, opened and closed: no lane, no timer, no user of a lane`, async () => {
    const upstream = opened(await startHttpUpstream())
    const clock = countingClock()
    const gateway = await gatewayTo([upstream.server('up')], { clock })
    await (await connectHttp(gateway)).ask('tools/list')
    await until(() => gateway.gateway.pool.size === 1)
    const before = { sessions: gateway.gateway.sessions.size, lanes: gateway.gateway.pool.size, timers: clock.set.size }
    const one = async (i: number): Promise<void> => {
      const client = await connectHttp(gateway, i % 4 === 0 ? { capabilities: '{"sampling":{}}' } : {})
      const stream = i % 8 === 0 ? await client.listen() : undefined
      await client.ask('tools/call', { name: 'up__echo' })
      await client.end()
      await stream?.done
    }
    for (let i = 0; i < rounds; i += 20) await Promise.all(Array.from({ length: 20 }, (_, k) => one(i + k)))
    const { lane } = gateway.gateway.pool.berth(upstream.server('up'), { principalId: '', session: undefined })
    expect(gateway.gateway.pool.berth(upstream.server('up'), { principalId: '', session: undefined }).users.size).toBe(1)
    expect(lane.isBusy).toBe(false)
    // What is remembered of list_changed for a moment goes by itself.
    await until(() => clock.set.size <= before.timers)
    expect({ sessions: gateway.gateway.sessions.size, lanes: gateway.gateway.pool.size }).toEqual({
      sessions: before.sessions,
      lanes: before.lanes,
    })
    expect(upstream.sessions.size).toBe(1)
  })

  it('of the lanes of a principal who has gone, once they have been idle', async () => {
    const upstream = opened(await startHttpUpstream())
    const timeout = { startMs: 5000, callMs: 5000, idleMs: 50 }
    const gateway = await gatewayTo([upstream.server('up', { timeout })], { plugins: [authenticating] })
    for (const authorization of ['a', 'b', 'c']) {
      const client = await connectHttp(gateway, { headers: { authorization } })
      await client.ask('tools/list')
      if (authorization !== 'c') await client.end()
    }
    await until(() => upstream.sessions.size <= 2)
    expect(gateway.gateway.pool.size).toBe(2)
  })

  const calls = Number(process.env.LEAK_CALLS ?? 3000)
  it(`of ${calls} calls: no listener, no timer, no pending call`, async () => {
    const upstream = opened(await startStdioUpstream())
    const clock = countingClock()
    const gateway = await gatewayTo([upstream.server('up')], { clock, stdio: true })
    const client = await connectHttp(gateway)
    await client.ask('tools/call', { name: 'up__echo' })
    const listeners = (): number =>
      [process, gateway.input, gateway.output, process.stdout].reduce(
        (sum, emitter) => sum + emitter.eventNames().reduce((count, name) => count + emitter.listenerCount(name), 0),
        0,
      )
    const before = { timers: clock.set.size, listeners: listeners() }
    for (let i = 0; i < calls; i += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, k) => client.post(call(i + k, 'up__echo', '{}', '{"progressToken":1}'))))
    }
    expect(listeners()).toBe(before.listeners)
    // What was set at the start may have gone meanwhile; nothing is added.
    expect(clock.set.size).toBeLessThanOrEqual(before.timers)
    const session = gateway.gateway.sessions.find(client.sessionId)!
    expect([session.inflight.size, session.idle]).toEqual([0, true])
  })
})

it('the SDK client works through the gateway: lists, calls with progress, is asked, cancels, and ends its session', async () => {
  const upstream = opened(await startStdioUpstream({ on: { 'tools/call': leaveOpen } }))
  const gateway = await gatewayTo([upstream.server('up')])
  const client = new Client({ name: 'sdk', version: '1' }, { capabilities: { sampling: {} } })
  client.setRequestHandler(CreateMessageRequestSchema, async () => ({
    role: 'assistant',
    model: 'm',
    content: { type: 'text', text: 'yes' },
  }))
  const transport = new StreamableHTTPClientTransport(new URL(gateway.url))
  await client.connect(transport as never)
  expect((await client.listTools()).tools.map(tool => tool.name)).toEqual(['up__echo'])
  const progress: number[] = []
  const answer = client.callTool({ name: 'up__echo', arguments: {} }, undefined, { onprogress: one => progress.push(one.progress) })
  const received = await upstream.next('tools/call')
  received.say(
    `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${received.message.params._meta.progressToken},"progress":1}}`,
  )
  received.say('{"jsonrpc":"2.0","id":"s","method":"sampling/createMessage","params":{"messages":[],"maxTokens":1}}')
  expect((await upstream.next('')).message.result.content.text).toBe('yes')
  received.result('{"content":[]}')
  expect([(await answer).content, progress]).toEqual([[], [1]])
  const abort = new AbortController()
  const cancelled = client.callTool({ name: 'up__echo', arguments: {} }, undefined, { signal: abort.signal })
  await upstream.next('tools/call')
  abort.abort('changed my mind')
  await expect(cancelled).rejects.toThrow()
  await upstream.next('notifications/cancelled')
  await transport.terminateSession()
  await until(() => gateway.gateway.sessions.size === 0)
  await client.close()
})
