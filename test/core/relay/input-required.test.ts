// A stateless client is asked in answers: by a server with sessions, whose call waits meanwhile, and by a stateless one, whose state it carries.
import { describe, expect, it } from 'vitest'
import type { Clock, Exchange, Outcome } from '../../../core/plugin/index.ts'
import { authenticating, plugin, startTestGateway, type TestGateway, type TestGatewayOptions, until } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { leaveOpen, type Received, type Script, type ScriptOptions } from '../data-plane/script.ts'
import { type StatelessOptions, visitHttp } from '../data-plane/stateless-client.ts'
import { startStdioUpstream } from '../data-plane/stdio-upstream.ts'
import { realClock } from '../upstream/manual-clock.ts'

const opened = closeAfterEach()
const ways = ['stdio', 'http'] as const
const ABLE = '{"elicitation":{"form":{},"url":{}},"sampling":{},"roots":{}}'

async function start(way: (typeof ways)[number], options: ScriptOptions, more: Partial<TestGatewayOptions> = {}) {
  const upstream = opened(way === 'stdio' ? await startStdioUpstream(options) : await startHttpUpstream({ ...options, stream: true }))
  const protocol = options.modern === undefined ? ('legacy' as const) : ('auto' as const)
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up', { protocol })], ...more }))
  return { upstream: upstream as Script, gateway }
}

const request = (id: string, method: string, params: object = {}): string => JSON.stringify({ jsonrpc: '2.0', id, method, params })
const form = { mode: 'form', message: 'who?', requestedSchema: { type: 'object', properties: {} } }
const NAME = 'up__echo'

function clientOf(gateway: TestGateway, options: StatelessOptions = {}) {
  const client = visitHttp(gateway, { capabilities: ABLE, ...options })
  return {
    ...client,
    call: (params: object = {}) => client.ask('tools/call', { name: NAME, arguments: { a: 1 }, ...params }),
    startCall: (params: object = {}) => client.start('tools/call', { name: NAME, arguments: { a: 1 }, ...params }),
  }
}

describe.each(ways)('a server with sessions over %s', way => {
  it('asks in the middle of a call, and the next request of the client goes on with it', async () => {
    const { upstream, gateway } = await start(way, { on: { 'tools/call': leaveOpen } })
    const client = clientOf(gateway)
    const first = client.call()
    const received = await upstream.next('tools/call')
    received.say(request('q1', 'elicitation/create', form))
    received.say(request('q2', 'roots/list'))
    const { result, status } = await first
    expect(status).toBe(200)
    expect(result.resultType).toBe('input_required')
    const [who, where] = Object.keys(result.inputRequests)
    expect(result.inputRequests).toEqual({
      [who!]: { method: 'elicitation/create', params: form },
      [where!]: { method: 'roots/list', params: {} },
    })
    const second = client.call({
      requestState: result.requestState,
      inputResponses: { [who!]: { action: 'accept', content: { name: 'Ada' } }, [where!]: { roots: [] }, extra: {} },
    })
    const answers = [await upstream.next(''), await upstream.next('')]
    expect(answers.map(({ message }) => [message.id, message.result])).toEqual([
      ['q1', { action: 'accept', content: { name: 'Ada' } }],
      ['q2', { roots: [] }],
    ])
    received.say(request('q3', 'sampling/createMessage', { messages: [], maxTokens: 1 }))
    const third = (await second).result
    expect(Object.values(third.inputRequests)).toEqual([{ method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } }])
    expect(third.requestState).not.toBe(result.requestState)
    const [sample] = Object.keys(third.inputRequests)
    const last = client.call({ requestState: third.requestState, inputResponses: { [sample!]: { role: 'assistant' } } })
    expect((await upstream.next('')).message).toMatchObject({ id: 'q3', result: { role: 'assistant' } })
    received.result('{"content":[],"done":true}')
    expect((await last).result).toEqual({ content: [], done: true, resultType: 'complete' })
    expect(upstream.of('tools/call')).toHaveLength(1)
  })

  it('asks again what the client said nothing to', async () => {
    const { upstream, gateway } = await start(way, { on: { 'tools/call': leaveOpen } })
    const client = clientOf(gateway)
    const first = client.call()
    const received = await upstream.next('tools/call')
    received.say(request('q1', 'roots/list'))
    const { requestState, inputRequests } = (await first).result
    const [key] = Object.keys(inputRequests)
    const second = (await client.call({ requestState, inputResponses: { [key!]: 7 } })).result
    expect(second.inputRequests).toEqual(inputRequests)
    const last = client.call({ requestState: second.requestState, inputResponses: { [key!]: { roots: [] } } })
    await upstream.next('')
    received.result('{"content":[]}')
    expect((await last).result.resultType).toBe('complete')
  })

  it('is told where the client hangs up on the request that waits, and hears nothing where it only got a question', async () => {
    const { upstream, gateway } = await start(way, { on: { 'tools/call': leaveOpen } })
    const client = clientOf(gateway)
    const first = client.call({ _meta: { progressToken: 'p1' } })
    const received = await upstream.next('tools/call')
    received.say(request('q1', 'roots/list'))
    const { requestState, inputRequests } = (await first).result
    expect(upstream.of('notifications/cancelled')).toHaveLength(0)
    const { progressToken } = received.message.params._meta
    const progress = (at: number): string =>
      JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, progress: at } })
    received.say(progress(1))
    const [key] = Object.keys(inputRequests)
    const second = client.startCall({ requestState, inputResponses: { [key!]: { roots: [] } }, _meta: { progressToken: 'p2' } })
    await upstream.next('')
    received.say(progress(2))
    const stream = await second
    for (const at of [1, 2]) expect((await stream.next()).params).toEqual({ progressToken: 'p2', progress: at })
    stream.drop()
    expect((await upstream.next('notifications/cancelled')).message.params.requestId).toBe(received.message.id)
  })

  it('is told that a client cannot what it did not declare', async () => {
    const { upstream, gateway } = await start(way, { on: { 'tools/call': leaveOpen } })
    const client = clientOf(gateway, { capabilities: '{"sampling":{}}' })
    const call = client.call()
    const received = await upstream.next('tools/call')
    received.say(request('q1', 'elicitation/create', form))
    expect((await upstream.next('')).message).toMatchObject({ id: 'q1', error: { code: -32601 } })
    received.result('{"content":[]}')
    expect((await call).result.resultType).toBe('complete')
  })

  it('that wants a url visited first has the client asked, and the call is made again', async () => {
    const urls = [{ mode: 'url', elicitationId: 'e1', url: 'https://example.com/consent', message: 'consent' }]
    const refuse = (received: Received) =>
      received.answer(
        JSON.stringify({
          jsonrpc: '2.0',
          id: received.message.id,
          error: { code: -32042, message: 'first', data: { elicitations: urls } },
        }),
      )
    let visited = false
    const { upstream, gateway } = await start(way, {
      on: { 'tools/call': received => (visited ? received.result('{"content":[]}') : refuse(received)) },
    })
    const client = clientOf(gateway)
    const { requestState, inputRequests } = (await client.call()).result
    expect(Object.values(inputRequests)).toEqual([{ method: 'elicitation/create', params: urls[0] }])
    const [key] = Object.keys(inputRequests)
    const declined = await client.call({ requestState, inputResponses: { [key!]: { action: 'decline' } } })
    expect(declined.error).toMatchObject({ code: -32602, data: { elicitations: urls } })
    visited = true
    const { result } = await client.call({ requestState, inputResponses: { [key!]: { action: 'accept' } } })
    expect(result.resultType).toBe('complete')
    expect(upstream.of('tools/call').every(({ message }) => message.params.requestState === undefined)).toBe(true)
    visited = false
    const unable = await clientOf(gateway, { capabilities: '{"elicitation":{}}' }).call()
    expect({ status: unable.status, code: unable.error.code }).toEqual({ status: 400, code: -32021 })
  })

  it('is asked nothing twice: a state is good once, for its principal and its request', async () => {
    const { upstream, gateway } = await start(way, { on: { 'tools/call': leaveOpen } }, { plugins: [authenticating] })
    const ada = clientOf(gateway, { headers: { authorization: 'ada' } })
    const eve = clientOf(gateway, { headers: { authorization: 'eve' } })
    const first = ada.call()
    const received = await upstream.next('tools/call')
    received.say(request('q1', 'roots/list'))
    const { requestState, inputRequests } = (await first).result
    const inputResponses = { [Object.keys(inputRequests)[0]!]: { roots: [] } }
    const forged = `${requestState.slice(0, -2)}${requestState.at(-2) === 'A' ? 'B' : 'A'}${requestState.slice(-1)}`
    for (const attempt of [
      eve.call({ requestState, inputResponses }),
      ada.call({ requestState, inputResponses, arguments: { a: 2 } }),
      ada.call({ requestState: forged, inputResponses }),
      ada.call({ requestState: `${requestState}A`, inputResponses }),
      ada.call({ requestState: { text: requestState }, inputResponses }),
    ])
      expect(await attempt).toMatchObject({ status: 200, error: { code: -32602 } })
    expect(upstream.of('')).toHaveLength(0)
    const second = ada.call({ inputResponses, requestState, arguments: { a: 1 } })
    await upstream.next('')
    expect(await ada.call({ requestState, inputResponses })).toMatchObject({ error: { code: -32602 } })
    received.result('{"content":[]}')
    await second
    expect(await ada.call({ requestState, inputResponses })).toMatchObject({ error: { code: -32602 } })
    expect(upstream.of('tools/call')).toHaveLength(1)
  })

  it('that asks before any call is answered with the first call to it', async () => {
    const { upstream, gateway } = await start(way, {
      on: { 'notifications/initialized': ({ say }: Received) => (way === 'stdio' ? say(request('early', 'roots/list')) : undefined) },
    })
    const client = clientOf(gateway)
    await client.ask('tools/list')
    if (way === 'http') {
      const streams = (upstream as unknown as { streams: Set<{ write(text: string): void }> }).streams
      await until(() => streams.size === 2)
      ;[...streams].at(-1)!.write(`data: ${request('early', 'roots/list')}\n\n`)
    } else await until(() => upstream.of('notifications/initialized').length === 2)
    let asked = (await client.call()).result
    // Over HTTP it may come a moment later.
    while (asked.resultType !== 'input_required') asked = (await client.call()).result
    const before = upstream.of('tools/call').length
    const answered = await client.call({
      requestState: asked.requestState,
      inputResponses: { [Object.keys(asked.inputRequests)[0]!]: { roots: [{ uri: 'file:///a' }] } },
    })
    const replies = upstream.of('').map(({ message }) => message)
    expect(replies.filter(({ result }) => result !== undefined)).toMatchObject([{ id: 'early', result: { roots: [{ uri: 'file:///a' }] } }])
    expect(answered.result.resultType).toBe('complete')
    expect(upstream.of('tools/call')).toHaveLength(before + 1)
  })
})

describe('a call that waits for its client', () => {
  const FIVE_MINUTES = 5 * 60_000

  it('waits for five minutes: then the server is told, and the state is no longer good', async () => {
    const due: (() => void)[] = []
    const clock: Clock = {
      ...realClock,
      after(ms, run) {
        if (ms !== FIVE_MINUTES) return realClock.after(ms, run)
        due.push(run)
        return () => {}
      },
    }
    const { upstream, gateway } = await start('stdio', { on: { 'tools/call': leaveOpen } }, { clock })
    const client = clientOf(gateway)
    const first = client.call()
    const received = await upstream.next('tools/call')
    received.say(request('q1', 'roots/list'))
    const { requestState } = (await first).result
    for (const run of due) run()
    expect((await upstream.next('notifications/cancelled')).message.params.requestId).toBe(received.message.id)
    expect((await upstream.next('')).message).toMatchObject({ id: 'q1', error: { code: 42024 } })
    expect(await client.call({ requestState })).toMatchObject({ error: { code: -32602 } })
    await until(() => [...gateway.gateway.sessions.all()].every(session => session.idle))
  })

  it('is one of at most a hundred of a caller: in the next one the server may ask nothing', async () => {
    const asking = (received: Received) => received.say(request(`q${received.message.id}`, 'roots/list'))
    const { upstream, gateway } = await start('stdio', { on: { 'tools/call': asking } })
    const client = clientOf(gateway)
    for (let i = 0; i < 100; i++) expect((await client.call()).result.resultType).toBe('input_required')
    const more = client.call()
    const refused = await upstream.next('')
    expect(refused.message.error.code).toBe(42029)
    upstream.of('tools/call').at(-1)!.result('{"content":[]}')
    expect((await more).result.resultType).toBe('complete')
  })
})

describe.each(ways)('a stateless server over %s', way => {
  const STATE = 'the server’s own \u0000 state'
  const questions = (requests: object) => (received: Received) => {
    const { inputResponses, requestState } = received.message.params
    if (requestState === undefined)
      return received.result(JSON.stringify({ resultType: 'input_required', inputRequests: requests, requestState: STATE }))
    received.result(JSON.stringify({ resultType: 'complete', content: [], got: { inputResponses, requestState } }))
  }

  it('asks the client, and gets exactly its own state back with the answers', async () => {
    const on = { 'tools/call': questions({ who: { method: 'elicitation/create', params: form }, where: { method: 'roots/list' } }) }
    const { upstream, gateway } = await start(way, { modern: '{"tools":{}}', on })
    const client = clientOf(gateway)
    const { result } = await client.call()
    expect(result.inputRequests).toEqual({ who: { method: 'elicitation/create', params: form }, where: { method: 'roots/list' } })
    expect(result.requestState).not.toContain('own')
    const inputResponses = { who: { action: 'decline' }, where: { roots: [] } }
    const answer = await client.call({ requestState: result.requestState, inputResponses })
    expect(answer.result.got).toEqual({ inputResponses, requestState: STATE })
    expect(upstream.of('tools/call').map(({ message }) => message.params.name)).toEqual(['echo', 'echo'])
  })

  it('gets no state that it did not give to this client for this request', async () => {
    const on = { 'tools/call': questions({ where: { method: 'roots/list' } }) }
    const { upstream, gateway } = await start(way, { modern: '{"tools":{}}', on }, { plugins: [authenticating] })
    const ada = clientOf(gateway, { headers: { authorization: 'ada' } })
    const eve = clientOf(gateway, { headers: { authorization: 'eve' } })
    const { requestState } = (await ada.call()).result
    for (const attempt of [
      eve.call({ requestState }),
      ada.call({ requestState, arguments: { a: 2 } }),
      ada.call({ requestState: STATE }),
      ada.call({ requestState: `${requestState}A` }),
    ])
      expect(await attempt).toMatchObject({ status: 200, error: { code: -32602 } })
    expect(upstream.of('tools/call')).toHaveLength(1)
  })

  it('learns what the client did not declare, as the client does', async () => {
    const on = { 'tools/call': questions({ q: { method: 'sampling/createMessage', params: {} }, where: { method: 'roots/list' } }) }
    const { gateway } = await start(way, { modern: '{"tools":{}}', on })
    const { status, error } = await clientOf(gateway, { capabilities: '{"roots":{}}' }).call()
    expect({ status, code: error.code }).toEqual({ status: 400, code: -32021 })
    expect(error.data.requiredCapabilities).toEqual({ sampling: {} })
  })

  it('asks nothing that a plugin refuses, and is on record with it', async () => {
    const url = { mode: 'url', message: 'open it', url: 'javascript:alert(1)' }
    const on = { 'tools/call': questions({ evil: { method: 'elicitation/create', params: url }, where: { method: 'roots/list' } }) }
    const settled: [Exchange['direction'], string, Outcome][] = []
    const recorder = plugin('record', ['records'], { onSettled: (x, outcome) => void settled.push([x.direction, x.action, outcome]) })
    const { gateway } = await start(way, { modern: '{"tools":{}}', on }, { plugins: [recorder] })
    const { result } = await clientOf(gateway).call()
    expect(Object.keys(result.inputRequests)).toEqual(['where'])
    expect(settled.map(([direction, action, outcome]) => [direction, action, outcome.kind])).toEqual([
      ['to-client', 'elicitation/create', 'denied'],
      ['to-client', 'roots/list', 'answered'],
      ['to-server', 'tools/call', 'answered'],
    ])
    expect(settled.slice(1).map(([, , outcome]) => outcome.kind === 'answered' && outcome.isInputRequired)).toEqual([true, true])
  })

  it('that asks on a request that has no rounds, or for what nobody can be asked, said nothing', async () => {
    const garbage = (received: Received) => received.result('{"resultType":"input_required","inputRequests":{"q":{"method":"tools/call"}}}')
    const { gateway } = await start(way, {
      modern: '{"tools":{},"completions":{}}',
      on: { 'tools/call': garbage, 'completion/complete': garbage },
    })
    const client = clientOf(gateway, { path: '/mcp/up' })
    expect((await client.ask('tools/call', { name: 'echo' })).error.data.mcpgw.code).toBe('upstream-garbage')
    const ref = { type: 'ref/resource', uri: 'test://{x}' }
    expect((await client.ask('completion/complete', { ref })).error.data.mcpgw.code).toBe('upstream-garbage')
  })

  it('whose state is too long to be carried fails that call at once, and not the next one for no reason', async () => {
    const state = 'x'.repeat(300_000)
    const { gateway } = await start(way, {
      modern: '{"tools":{}}',
      on: { 'tools/call': received => received.result(`{"resultType":"input_required","requestState":"${state}"}`) },
    })
    expect((await clientOf(gateway).call()).error.data.mcpgw.code).toBe('upstream-garbage')
  })

  it('hears what the plugins left of the answers, while no plugin spoils the state', async () => {
    const on = { 'tools/call': questions({ who: { method: 'elicitation/create', params: form } }) }
    const masking = plugin('mask', ['masks'], {
      onRequest: ({ params, direction }) =>
        direction === 'to-server' && JSON.stringify(params.value).includes('secret')
          ? { kind: 'rewrite', value: JSON.parse(JSON.stringify(params.value).replaceAll('secret', '***')) }
          : { kind: 'pass' },
      onResponse: (_x, { payload }) => ({
        kind: 'rewrite',
        value: JSON.parse(JSON.stringify(payload.value).replace(/"requestState":"[^"]*"/, '"requestState":"***"')),
      }),
    })
    const { gateway } = await start(way, { modern: '{"tools":{}}', on }, { plugins: [masking] })
    const client = clientOf(gateway)
    const { requestState } = (await client.call()).result
    const answer = await client.call({ requestState, inputResponses: { who: { action: 'accept', content: { name: 'secret' } } } })
    expect(answer.result.got).toEqual({ inputResponses: { who: { action: 'accept', content: { name: '***' } } }, requestState: '***' })
  })
})
