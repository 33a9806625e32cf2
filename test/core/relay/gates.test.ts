// The gate of a server, through a whole gateway: what is not under way is not sent, a server that fails is left alone, nobody is lost.
import { describe, expect, it } from 'vitest'
import { createMetrics } from '../../../core/metrics.ts'
import type { AdminEvent } from '../../../core/plugin/index.ts'
import { call, connectHttp, connectStdio, type HttpClient } from '../data-plane/clients.ts'
import { startTestGateway, until } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { leaveOpen, type Received } from '../data-plane/script.ts'
import { startStdioUpstream } from '../data-plane/stdio-upstream.ts'
import { createManualClock } from '../upstream/manual-clock.ts'

const opened = closeAfterEach()
const timeout = { startMs: 10_000, callMs: 10_000, idleMs: 0 }
const hanging = { on: { 'tools/call': leaveOpen } }

const codeOf = (text: string): string | undefined => JSON.parse(text).error?.data?.mcpgw?.code

async function callFor(client: HttpClient, name = 'up__echo'): Promise<{ code: string | undefined; retryAfter: number | undefined }> {
  const { error } = await client.ask('tools/call', { name, arguments: {} })
  return { code: error?.data?.mcpgw?.code, retryAfter: error?.data?.mcpgw?.retryAfter }
}

describe.each(['stdio', 'http'] as const)('places at a %s server', kind => {
  async function start(limits: { concurrency: number; queue: number }, callMs = 10_000) {
    const own = { limits, timeout: { ...timeout, callMs } }
    const upstream = opened(kind === 'stdio' ? await startStdioUpstream(hanging) : await startHttpUpstream(hanging))
    const metrics = createMetrics()
    const gateway = opened(await startTestGateway({ servers: [upstream.server('up', own)], metrics, stdio: true }))
    const client = await connectHttp(gateway)
    await client.ask('tools/list')
    return { upstream, gateway, client, metrics }
  }

  it('are kept by what is under way; the next waits unsent, the one after is refused at once, and all is counted', async () => {
    const { upstream, gateway, client, metrics } = await start({ concurrency: 2, queue: 1 })
    const calls = [1, 2, 3].map(id => client.post(call(id, 'up__echo')))
    const [first, second] = [await upstream.next('tools/call'), await upstream.next('tools/call')]
    const gate = gateway.gateway.board.gate('up')
    await until(() => gate.view.waiting === 1)
    const refused = JSON.parse((await client.post(call(4, 'up__echo'))).text)
    expect(refused.error).toMatchObject({ code: 42028, data: { mcpgw: { code: 'upstream-busy', server: 'up', retryAfter: 1 } } })
    expect(upstream.of('tools/call')).toHaveLength(2)
    const shown = metrics.render()
    for (const line of [
      'mcpgw_server_calls_under_way{server="up"} 2',
      'mcpgw_server_calls_waiting{server="up"} 1',
      'mcpgw_server_breaker{server="up"} 0',
      'mcpgw_server_calls_refused_total{server="up",code="upstream-busy"} 1',
    ])
      expect(shown).toContain(line)
    second.result('{"content":[]}')
    const third = await upstream.next('tools/call')
    third.result('{"content":[]}')
    first.result('{"content":[]}')
    for (const answer of await Promise.all(calls)) expect(JSON.parse(answer.text).result).toEqual({ content: [] })
    await until(() => gate.view.underWay === 0)
  })

  it('are waited for no longer than a call may take, and nothing is sent of what is cancelled or given up while it waits', async () => {
    const { upstream, gateway, client } = await start({ concurrency: 1, queue: 5 }, 1500)
    const stdio = await connectStdio(gateway)
    const first = client.post(call(1, 'up__echo'))
    await upstream.next('tools/call')
    stdio.write(call(7, 'up__echo'))
    const given = client.post(call(2, 'up__echo'))
    const gate = gateway.gateway.board.gate('up')
    await until(() => gate.view.waiting === 2)
    stdio.write('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}')
    await until(() => gate.view.waiting === 1)
    expect(codeOf((await first).text)).toBe('upstream-timeout')
    // It got the place of the first, or had waited as long as that ran.
    const code = codeOf((await given).text)
    expect(['upstream-busy', 'upstream-timeout']).toContain(code)
    expect(upstream.of('tools/call')).toHaveLength(code === 'upstream-busy' ? 1 : 2)
    await until(() => upstream.of('notifications/cancelled').length === upstream.of('tools/call').length)
    expect(upstream.of('notifications/cancelled').map(one => one.message.params.requestId)).toEqual(
      upstream.of('tools/call').map(one => one.message.id),
    )
  })
})

describe('a server that fails its calls', () => {
  it('is left alone after twenty, tried with one call, and used again when that is answered; each change is told', async () => {
    const upstream = opened(await startHttpUpstream(hanging))
    const told: AdminEvent[] = []
    const gateway = opened(
      await startTestGateway({
        servers: [upstream.server('up', { timeout: { ...timeout, callMs: 200 } })],
        onEvent: event => void told.push(event),
      }),
    )
    const client = await connectHttp(gateway)
    await client.ask('tools/list')
    const codes = await Promise.all(Array.from({ length: 20 }, () => callFor(client)))
    expect(new Set(codes.map(one => one.code))).toEqual(new Set(['upstream-timeout']))
    const { view } = gateway.gateway.board.gate('up')
    expect(view).toMatchObject({ breaker: 'open', why: expect.stringContaining('calls failed') })
    const requests = upstream.requests.filter(one => one.method === 'POST').length
    for (let i = 0; i < 10; i++) expect(await callFor(client)).toEqual({ code: 'upstream-unavailable', retryAfter: 1 })
    expect(gateway.gateway.board.list()[0]!.calls).toMatchObject({ breaker: 'open', refused: 10 })
    // What is still sent are the cancellations of the twenty.
    expect(upstream.requests.filter(one => one.method === 'POST').length - requests).toBeLessThanOrEqual(20)
    expect(upstream.of('tools/call')).toHaveLength(20)

    upstream.handlers.set('tools/call', received => received.result('{"content":[]}'))
    let code: string | undefined = 'upstream-unavailable'
    while (code === 'upstream-unavailable') code = (await callFor(client)).code
    expect(code).toBe(undefined)
    expect(upstream.of('tools/call')).toHaveLength(21)
    expect(told.filter(event => event.type === 'server.breaker').map(({ detail }) => [detail.server, detail.from, detail.to])).toEqual([
      ['up', 'closed', 'open'],
      ['up', 'open', 'half-open'],
      ['up', 'half-open', 'closed'],
    ])
  })

  it('of its own accord, with errors or tool errors, is not left alone', async () => {
    const upstream = opened(
      await startHttpUpstream({
        on: {
          'tools/call': received => {
            if (Number(received.message.id) % 2) received.error(-32603, 'no')
            else received.result('{"content":[],"isError":true}')
          },
        },
      }),
    )
    const gateway = opened(await startTestGateway({ servers: [upstream.server('up')] }))
    const client = await connectHttp(gateway)
    for (let i = 0; i < 50; i++) await callFor(client)
    expect(upstream.of('tools/call')).toHaveLength(50)
    expect(gateway.gateway.board.gate('up').view.breaker).toBe('closed')
  })

  it('by dying under thirty calls is its supervisor’s affair: it is back as soon as that has it back', async () => {
    const upstream = opened(await startStdioUpstream(hanging))
    const gateway = opened(await startTestGateway({ servers: [upstream.server('up')] }))
    const client = await connectHttp(gateway)
    const calls = Array.from({ length: 30 }, () => callFor(client))
    await until(() => upstream.of('tools/call').length === 30)
    upstream.kill()
    expect(new Set((await Promise.all(calls)).map(one => one.code))).toEqual(new Set(['upstream-crashed']))
    expect(gateway.gateway.board.list()[0]).toMatchObject({ calls: { breaker: 'closed', underWay: 0, refused: 0 } })
    upstream.handlers.set('tools/call', received => received.result('{"content":[]}'))
    await until(() => gateway.gateway.board.list()[0]!.state === 'ready')
    expect((await callFor(client)).code).toBe(undefined)
  })
})

it('a server that does not read for a while loses no call: they wait, and all are answered when it reads again', async () => {
  const upstream = opened(await startStdioUpstream())
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up', { limits: { concurrency: 0, queue: 1000 } })] }))
  const client = await connectHttp(gateway)
  await client.ask('tools/list')
  const [socket] = upstream.processes.values()
  socket!.pause()
  // Sixty MB, where 32 MB may wait to be written.
  const long = JSON.stringify({ pad: 'x'.repeat(1_000_000) })
  const calls = Array.from({ length: 60 }, (_, id) => client.post(call(id, 'up__echo', long)))
  const gate = gateway.gateway.board.gate('up')
  await until(() => gate.view.underWay + gate.view.waiting === 60)
  expect(gate.view.waiting).toBeGreaterThan(30)
  socket!.resume()
  for (const answer of await Promise.all(calls)) expect(JSON.parse(answer.text).result.content).toEqual([])
  expect(gate.view).toMatchObject({ waiting: 0, busy: 0, breaker: 'closed' })
})

describe('the limit of a whole call', () => {
  const progress = (received: Received, n: number): string =>
    `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${received.message.params._meta.progressToken},"progress":${n}}}`

  it('ends it whatever its progress, which starts only the other limit again', async () => {
    const clock = createManualClock()
    const upstream = opened(await startStdioUpstream(hanging))
    const limits = { ...timeout, callMs: 1000, maxMs: 2500 }
    const gateway = opened(await startTestGateway({ servers: [upstream.server('up', { timeout: limits })], clock }))
    const client = await connectHttp(gateway)
    const started = client.start(call(5, 'up__echo', '{}', '{"progressToken":"p"}'))
    const received = await upstream.next('tools/call')
    for (let n = 0; n < 3; n++) {
      clock.advance(800)
      received.say(progress(received, n))
      expect((await (await started).next()).params).toEqual({ progressToken: 'p', progress: n })
    }
    clock.advance(99)
    expect(upstream.of('notifications/cancelled')).toEqual([])
    clock.advance(1)
    expect((await (await started).next()).error.data.mcpgw.code).toBe('upstream-timeout')
    await upstream.next('notifications/cancelled')
  })

  it('is the only one that runs while a person is asked', async () => {
    const clock = createManualClock()
    const upstream = opened(await startStdioUpstream(hanging))
    const limits = { ...timeout, callMs: 1000, maxMs: 100_000 }
    const gateway = opened(await startTestGateway({ servers: [upstream.server('up', { timeout: limits })], clock, stdio: true }))
    const client = await connectStdio(gateway, { capabilities: '{"elicitation":{"form":{}}}' })
    client.write(call(1, 'up__echo'))
    const received = await upstream.next('tools/call')
    received.say('{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"?","requestedSchema":{}}}')
    const asked = await client.find(message => message.method === 'elicitation/create')
    clock.advance(99_000)
    client.write(`{"jsonrpc":"2.0","id":${asked.id},"result":{"action":"decline"}}`)
    await upstream.next('')
    clock.advance(900)
    expect(client.lines.some(line => line.includes('upstream-timeout'))).toBe(false)
    clock.advance(200)
    expect((await client.find(message => message.id === 1 && message.method === undefined)).error.data.mcpgw.code).toBe('upstream-timeout')
  })
})

describe('a stateless server', () => {
  async function start(capabilities: string, on: Record<string, (received: Received) => void>) {
    const clock = createManualClock()
    const upstream = opened(await startStdioUpstream({ modern: capabilities, on }))
    const limits = { ...timeout, callMs: 1000, maxMs: 5000 }
    const gateway = opened(
      await startTestGateway({ servers: [upstream.server('up', { timeout: limits, protocol: 'auto' })], clock, stdio: true }),
    )
    const client = await connectStdio(gateway, { capabilities: '{"elicitation":{"form":{}}}' })
    return { clock, upstream, gateway, client }
  }

  it('whose question nobody answers is no call that others wait for, and is given up when the whole of it has lasted too long', async () => {
    const question = '{"q":{"method":"elicitation/create","params":{"mode":"form","message":"?","requestedSchema":{}}}}'
    const { clock, gateway, client } = await start('{"tools":{}}', {
      'tools/call': received => received.result(`{"resultType":"input_required","inputRequests":${question}}`),
    })
    client.write(call(1, 'up__echo'))
    const asked = await client.find(message => message.method === 'elicitation/create')
    clock.advance(4999)
    expect(gateway.gateway.board.gate('up').view.underWay).toBe(0)
    expect(client.lines.some(line => line.includes('upstream-timeout'))).toBe(false)
    clock.advance(1)
    expect((await client.find(message => message.id === 1 && message.method === undefined)).error.data.mcpgw.code).toBe('upstream-timeout')
    expect((await client.find(message => message.method === 'notifications/cancelled')).params.requestId).toBe(asked.id)
    expect(gateway.gateway.board.gate('up').view).toMatchObject({ underWay: 0, breaker: 'closed' })
  })

  it('that never says whether it will tell of a resource is not waited for longer than for any call', async () => {
    const { clock, upstream, gateway, client } = await start('{"resources":{"subscribe":true}}', {
      'resources/list': received => received.result('{"resources":[{"uri":"x://1","name":"one"}],"resultType":"complete"}'),
      'subscriptions/listen': leaveOpen,
    })
    client.write('{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"x://1"}}')
    await upstream.next('subscriptions/listen')
    clock.advance(1000)
    expect((await client.find(message => message.id === 1 && message.method === undefined)).error.data.mcpgw.code).toBe('upstream-timeout')
    expect(gateway.gateway.board.gate('up').view.underWay).toBe(0)
  })
})
