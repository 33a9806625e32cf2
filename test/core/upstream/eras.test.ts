// Which era a server is of is found out once, without disturbing a server of either; and a client with sessions is served by a stateless one.
import { describe, expect, it } from 'vitest'
import { call, connectHttp, type HttpClient } from '../data-plane/clients.ts'
import { startTestGateway, type TestGateway, until } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { leaveOpen, type Received, type ScriptOptions } from '../data-plane/script.ts'
import { startStdioUpstream } from '../data-plane/stdio-upstream.ts'

const opened = closeAfterEach()
const VERSION = 'io.modelcontextprotocol/protocolVersion'
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId'

const ways = ['stdio', 'http'] as const
type Way = (typeof ways)[number]

async function upstream(way: Way, options: ScriptOptions) {
  return opened(way === 'stdio' ? await startStdioUpstream(options) : await startHttpUpstream(options))
}
type Upstream = Awaited<ReturnType<typeof upstream>>

async function gatewayTo(server: Upstream, startMs = 10_000): Promise<TestGateway> {
  const timeout = { startMs, callMs: 10_000, idleMs: 0 }
  return opened(await startTestGateway({ servers: [server.server('up', { protocol: 'auto', timeout })] }))
}
const methodsOf = (server: Upstream): string[] => server.seen.map(one => one.method).filter(method => method !== '')

/** Keeps the subscription open and tells what it honours: all that is asked for. */
const listen = (received: Received): void => {
  const { notifications } = received.message.params
  received.say(
    JSON.stringify({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: { _meta: { [SUBSCRIPTION]: received.message.id }, notifications },
    }),
  )
}
const event = (received: Received, method: string, params: object = {}): string =>
  JSON.stringify({ jsonrpc: '2.0', method, params: { ...params, _meta: { [SUBSCRIPTION]: received.message.id } } })

describe.each(ways)('a server over %s', way => {
  it('that answers server/discover is never initialized, and tells a client with sessions what it can do', async () => {
    const server = await upstream(way, { modern: '{"tools":{},"prompts":{},"extensions":{"com.example/x":{"a":1.0}}}' })
    const gateway = await gatewayTo(server)
    const client = await connectHttp(gateway, { path: '/mcp/up' })
    expect((await client.ask('tools/list')).result.tools.map((tool: { name: string }) => tool.name)).toEqual(['echo'])
    const again = await client.post(
      '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}',
      { 'mcp-session-id': '' },
    )
    expect(again.status).toBe(404)
    expect(methodsOf(server)).toEqual(['server/discover', 'tools/list'])
  })

  it('of the stateless era is told with each request who asks and what he can do', async () => {
    const server = await upstream(way, { modern: '{"tools":{}}' })
    const client = await connectHttp(await gatewayTo(server), { capabilities: '{"sampling":{},"tasks":{"list":{}}}' })
    const answer = await client.ask('tools/call', { name: 'up__echo', arguments: { a: 1 }, _meta: { mine: [1] } })
    expect(answer.result.echo).toEqual({ a: 1 })
    const { _meta: meta } = (await server.next('tools/call')).message.params
    expect(meta).toEqual({
      mine: [1],
      [VERSION]: '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': { sampling: {} },
    })
    expect(methodsOf(server)).not.toContain('notifications/initialized')
  })

  it('that asks for input asks the client, and gets its own state back with the answers', async () => {
    const state = 'opaque\\u002fstate=='
    const questions =
      '{"who":{"method":"elicitation/create","params":{"mode":"form","message":"who?","requestedSchema":{"type":"object","properties":{}}}},"where":{"method":"roots/list"}}'
    const server = await upstream(way, {
      modern: '{"tools":{}}',
      on: {
        'tools/call': received => {
          const { inputResponses, requestState } = received.message.params
          if (inputResponses === undefined)
            return received.result(`{"resultType":"input_required","inputRequests":${questions},"requestState":"${state}"}`)
          received.result(`{"resultType":"complete","content":[],"got":${JSON.stringify({ inputResponses, requestState })}}`)
        },
      },
    })
    const client = await connectHttp(await gatewayTo(server), { capabilities: '{"elicitation":{"form":{}},"roots":{}}' })
    const streaming = await client.start(call(7, 'up__echo', '{"x":1.0}'))
    for (let i = 0; i < 2; i++) {
      const question = await streaming.next()
      const result = question.method === 'roots/list' ? { roots: [] } : { action: 'accept', content: { name: 'Ada' } }
      await client.post(JSON.stringify({ jsonrpc: '2.0', id: question.id, result }))
    }
    const { result } = await streaming.next()
    expect(result.got).toEqual({
      inputResponses: { who: { action: 'accept', content: { name: 'Ada' } }, where: { roots: [] } },
      requestState: 'opaque/state==',
    })
    const [first, second] = server.of('tools/call')
    expect(second!.text).toContain(`"requestState":"${state}"`)
    expect(second!.text).toContain('"arguments":{"x":1.0}')
    expect(second!.message.id).not.toBe(first!.message.id)
  })

  it('that never has enough, or asks what the client cannot do, fails that call alone', async () => {
    const ask = (method: string) => (received: Received) =>
      received.result(`{"resultType":"input_required","inputRequests":{"q":{"method":"${method}","params":{}}},"requestState":"s"}`)
    const server = await upstream(way, { modern: '{"tools":{}}', on: { 'tools/call': ask('roots/list') } })
    const client = await connectHttp(await gatewayTo(server), { capabilities: '{"roots":{}}' })
    const streaming = await client.start(call(1, 'up__echo'))
    let rounds = 0
    for (;;) {
      const message = await streaming.next()
      if (message.method === undefined) {
        expect(message.error.data.mcpgw.code).toBe('upstream-garbage')
        break
      }
      rounds++
      await client.post(JSON.stringify({ jsonrpc: '2.0', id: message.id, result: { roots: [] } }))
    }
    expect(rounds).toBe(16)
    server.handlers.set('tools/call', ask('sampling/createMessage'))
    expect((await client.ask('tools/call', { name: 'up__echo' })).error.data.mcpgw.code).toBe('client-cannot')
    server.handlers.set('tools/call', received => received.result('{"content":[]}'))
    expect((await client.ask('tools/call', { name: 'up__echo' })).result).toEqual({ content: [] })
  })

  it('tells of changes on one stream, whose filter follows the subscriptions', async () => {
    const server = await upstream(way, {
      modern: '{"tools":{"listChanged":true},"resources":{"subscribe":true}}',
      on: {
        'subscriptions/listen': listen,
        'resources/list': received => received.result('{"resources":[{"uri":"file:///a","name":"a"},{"uri":"file:///b","name":"b"}]}'),
        'resources/templates/list': received => received.result('{"resourceTemplates":[]}'),
      },
    })
    const client = await connectHttp(await gatewayTo(server))
    const stream = await client.listen()
    const first = await server.next('subscriptions/listen')
    expect(first.message.params.notifications).toEqual({ toolsListChanged: true })
    expect((await client.ask('resources/subscribe', { uri: 'file:///a' })).result).toEqual({})
    const second = server.of('subscriptions/listen').at(-1)!
    expect(second.message.params.notifications).toEqual({ toolsListChanged: true, resourceSubscriptions: ['file:///a'] })
    second.say(event(second, 'notifications/resources/updated', { uri: 'file:///a' }))
    const heard: object[] = []
    while (!heard.some(one => JSON.stringify(one).includes('file:///a'))) heard.push(await stream.next())
    expect(heard.at(-1)).toEqual({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: 'file:///a' } })
    second.say(event(second, 'notifications/tools/list_changed'))
    let told: { method: string }
    do told = await stream.next()
    while (told.method !== 'notifications/tools/list_changed')
    await client.ask('resources/unsubscribe', { uri: 'file:///a' })
    await until(() => server.of('subscriptions/listen').at(-1) !== second)
    expect(server.of('subscriptions/listen').at(-1)!.message.params.notifications).toEqual({ toolsListChanged: true })
    expect(methodsOf(server)).not.toContain('resources/subscribe')
  })

  it('gets no request answered, whatever it asks: there is no way to answer a stateless server', async () => {
    const server = await upstream(way, {
      modern: '{"tools":{}}',
      on: {
        'tools/call': received => {
          received.say('{"jsonrpc":"2.0","id":1,"method":"roots/list"}')
          received.result('{"content":[]}')
        },
      },
    })
    const gateway = await gatewayTo(server)
    const client = await connectHttp(gateway, { capabilities: '{"roots":{}}' })
    const { messages } = await client.post(call(1, 'up__echo'))
    expect(messages.map(text => JSON.parse(text))).toEqual([{ jsonrpc: '2.0', id: 1, result: { content: [] } }])
    expect(gateway.logged.some(line => JSON.stringify(line).includes('roots/list'))).toBe(true)
    expect(server.seen.filter(one => one.method === '')).toEqual([])
  })

  it('with sessions is asked once what it is, and the next connection is initialized at once', async () => {
    const server = await upstream(way, {})
    const gateway = await gatewayTo(server)
    for (let i = 0; i < 2; i++) {
      const client: HttpClient = await connectHttp(gateway, { capabilities: '{"roots":{}}' })
      expect((await client.ask('tools/call', { name: 'up__echo', arguments: {} })).result.echo).toEqual({})
    }
    // Over HTTP the question is refused before anybody sees what it is.
    const asked = methodsOf(server).filter(method => method === 'server/discover')
    expect(asked).toHaveLength(way === 'stdio' ? 1 : 0)
    expect(methodsOf(server).filter(method => method === 'initialize').length).toBeGreaterThan(1)
  })

  it('with sessions that answers anything to what it does not know is one with sessions', async () => {
    const server = await upstream(way, { on: { 'server/discover': received => received.result('{}') } })
    const client = await connectHttp(await gatewayTo(server))
    expect((await client.ask('tools/call', { name: 'up__echo', arguments: {} })).result.echo).toEqual({})
  })
})

describe('a server on standard streams', () => {
  it('that says nothing to what it does not know is initialized after a while', async () => {
    const server = opened(await startStdioUpstream({ on: { 'server/discover': leaveOpen } }))
    const client = await connectHttp(await gatewayTo(server, 1000))
    expect((await client.ask('tools/call', { name: 'up__echo', arguments: {} })).result.echo).toEqual({})
    expect(methodsOf(server).slice(0, 2)).toEqual(['server/discover', 'initialize'])
  })

  it('that ends at what it does not know is started again and initialized at once', async () => {
    const server = opened(await startStdioUpstream({ on: { 'server/discover': () => server.kill() } }))
    const client = await connectHttp(await gatewayTo(server, 1000))
    expect((await client.ask('tools/call', { name: 'up__echo', arguments: {} })).result.echo).toEqual({})
    expect(methodsOf(server).slice(0, 2)).toEqual(['server/discover', 'initialize'])
  })

  it('of the stateless era that is slow to start is still one of it', async () => {
    let discover: Received | undefined
    const server = opened(
      await startStdioUpstream({
        modern: '{"tools":{}}',
        on: {
          'server/discover': received => {
            discover = received
          },
          initialize: received => {
            discover!.result('{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}')
            received.error(-32601, 'no such method')
          },
        },
      }),
    )
    const client = await connectHttp(await gatewayTo(server, 1000))
    expect((await client.ask('tools/call', { name: 'up__echo', arguments: {} })).result.echo).toEqual({})
    expect((await server.next('tools/call')).message.params._meta[VERSION]).toBe('2026-07-28')
  })
})

describe('a server over http', () => {
  const regional =
    '{"name":"echo","inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},"deep":{"type":"object","properties":{"n":{"type":"integer","x-mcp-header":"N"}}}}}}'

  it('sees method, name and annotated parameters in headers made from what it is sent', async () => {
    const server = opened(await startHttpUpstream({ modern: '{"tools":{}}', tools: [regional] }))
    const client = await connectHttp(await gatewayTo(server))
    await client.ask('tools/call', { name: 'up__echo', arguments: { region: 'süd', deep: { n: 42 } } })
    const { headers } = await server.next('tools/call')
    expect(headers).toMatchObject({
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'echo',
      'mcp-param-region': '=?base64?c8O8ZA==?=',
      'mcp-param-n': '42',
    })
    expect(headers['mcp-session-id']).toBe(undefined)
    await client.ask('tools/call', { name: 'up__echo', arguments: { region: null } })
    expect((await server.next('tools/call')).headers['mcp-param-region']).toBe(undefined)
  })

  it('that wants other parameters mirrored than it said before gets the call again, with the headers that it wants now', async () => {
    const server = opened(
      await startHttpUpstream({
        modern: '{"tools":{}}',
        on: {
          'tools/call': received =>
            received.headers['mcp-param-region'] === 'eu'
              ? received.result('{"content":[]}')
              : received.error(-32020, 'Mcp-Param-Region is missing'),
        },
      }),
    )
    const client = await connectHttp(await gatewayTo(server))
    await client.ask('tools/list')
    server.handlers.set('tools/list', received => received.result(`{"tools":[${regional}]}`))
    expect((await client.ask('tools/call', { name: 'up__echo', arguments: { region: 'eu' } })).result).toEqual({ content: [] })
    expect(server.of('tools/call')).toHaveLength(2)
  })

  it('that refuses who asks is not initialized: that says nothing of its era', async () => {
    const server = opened(
      await startHttpUpstream({
        modern: '{"tools":{}}',
        intercept: (_request, response) => {
          response.writeHead(401).end()
          return true
        },
      }),
    )
    const gateway = await gatewayTo(server)
    await until(() => gateway.gateway.board.list()[0]!.state === 'failed')
    expect(gateway.gateway.board.list()[0]!.lastFailure).toContain('401')
    expect(server.requests.map(one => one.headers['mcp-method'])).not.toContain(undefined)
  })

  it('that is replaced by an older one behind the same address is asked again what it is, and the call is made', async () => {
    const replaced = { now: false }
    const server = opened(
      await startHttpUpstream({
        modern: '{"tools":{}}',
        intercept: (request, response) => {
          if (replaced.now && request.headers['mcp-protocol-version'] === '2026-07-28') response.writeHead(400).end('Bad Request')
          return response.headersSent
        },
      }),
    )
    const client = await connectHttp(await gatewayTo(server))
    expect((await client.ask('tools/call', { name: 'up__echo', arguments: { a: 1 } })).result.echo).toEqual({ a: 1 })
    replaced.now = true
    server.handlers.set('initialize', received =>
      received.result('{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"old","version":"1"}}'),
    )
    expect((await client.ask('tools/call', { name: 'up__echo', arguments: { a: 2 } })).result.echo).toEqual({ a: 2 })
    expect(methodsOf(server)).toContain('initialize')
    expect(server.of('tools/call').at(-1)!.message.params._meta?.[VERSION]).toBe(undefined)
  })
})
