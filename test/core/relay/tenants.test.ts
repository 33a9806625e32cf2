// Servers of one tenant: for every other tenant they do not exist, whatever is asked and however it is named.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { connectHttp, initialize, send } from '../data-plane/clients.ts'
import { plugin, startTestGateway, type TestGateway } from '../data-plane/gateway.ts'
import { type HttpUpstream, startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import type { Received } from '../data-plane/script.ts'
import { visitHttp } from '../data-plane/stateless-client.ts'

const opened = closeAfterEach()

/** `authorization: tenant/id`. */
const identifying = plugin('names', ['authenticates'], {
  onRequest({ peer, direction }) {
    const [tenant, id] = peer.header('authorization')[0]?.split('/') ?? []
    if (direction === 'to-client' || tenant === undefined || id === undefined) return { kind: 'pass' }
    return { kind: 'identify', principal: { id, roles: [], tenant, claims: {}, via: { method: 'test' } } }
  },
})

const everything = '{"tools":{"listChanged":true},"resources":{"subscribe":true},"prompts":{},"completions":{},"logging":{}}'

/** All that a server can have; some of it is called as elsewhere, some only here. */
function upstreamOf(id: string): Promise<HttpUpstream> {
  const list = (field: string, key: string, names: readonly string[]) => (received: Received) =>
    received.result(JSON.stringify({ [field]: names.map(name => ({ [key]: name, name, inputSchema: { type: 'object' } })) }))
  return startHttpUpstream({
    capabilities: everything,
    on: {
      'tools/list': list('tools', 'name', ['look', `${id}_only`]),
      'resources/list': list('resources', 'uri', ['x:1', `${id}:1`]),
      'resources/templates/list': list('resourceTemplates', 'uriTemplate', ['x:{n}', `${id}:{n}`]),
      'prompts/list': list('prompts', 'name', ['ask', `${id}_ask`]),
      'tools/call': received => received.result(JSON.stringify({ content: [{ type: 'text', text: `of ${id}` }] })),
      'resources/read': received => received.result(JSON.stringify({ contents: [{ uri: 'x:1', text: `of ${id}` }] })),
      'resources/subscribe': received => received.result('{}'),
      'prompts/get': received => received.result(JSON.stringify({ messages: [], description: `of ${id}` })),
      'completion/complete': received => received.result(JSON.stringify({ completion: { values: [`of ${id}`] } })),
    },
  })
}

async function world(names: 'qualified' | 'bare') {
  const [crm, vault, docs] = await Promise.all(['crm', 'vault', 'docs'].map(async id => opened(await upstreamOf(id))))
  const start = async (servers: readonly ReturnType<HttpUpstream['server']>[]): Promise<TestGateway> =>
    opened(await startTestGateway({ servers, names, plugins: [identifying] }))
  const others = [vault!.server('vault', { tenants: ['globex'] }), docs!.server('docs')]
  // The one gateway has a server of another tenant, the other one has never heard of it.
  const both = await Promise.all([start([crm!.server('crm', { tenants: ['acme'] }), ...others]), start(others)])
  return { crm: crm!, with: both[0], without: both[1] }
}

const tail = fc.constantFrom('look', 'crm_only', 'vault_only', 'docs_only', 'ask', 'crm_ask', 'nothing')
const name = fc.oneof(
  tail,
  fc.tuple(fc.constantFrom('crm', 'CRM', 'vault', 'docs', 'nobody'), tail).map(parts => parts.join('__')),
)
const uri = fc.constantFrom(
  'x:1',
  'x:7',
  'crm:1',
  'crm:9',
  'vault:1',
  'docs:2',
  'y:1',
  'mcpgw-server:crm/x:1',
  'mcpgw-server:docs/x:1',
  'mcpgw-server:nobody/x:1',
)
const ask = fc.oneof(
  fc
    .constantFrom(
      'tools/list',
      'resources/list',
      'resources/templates/list',
      'prompts/list',
      'tasks/list',
      'ping',
      'server/discover',
      'x/y',
    )
    .map(method => ({ method, params: {} })),
  name.map(one => ({ method: 'tools/call', params: { name: one, arguments: {} } })),
  name.map(one => ({ method: 'prompts/get', params: { name: one } })),
  uri.map(one => ({ method: 'resources/read', params: { uri: one } })),
  uri.map(one => ({ method: 'resources/subscribe', params: { uri: one } })),
  fc
    .oneof(
      name.map(one => ({ type: 'ref/prompt', name: one })),
      uri.map(one => ({ type: 'ref/resource', uri: one })),
    )
    .map(ref => ({
      method: 'completion/complete',
      params: { ref, argument: { name: 'n', value: '' } },
    })),
  fc.constantFrom('t1', 'crm/t1').map(taskId => ({ method: 'tasks/get', params: { taskId } })),
)
const visit = fc.record({
  who: fc.constantFrom('globex/ben', 'initech/cleo', undefined),
  path: fc.constantFrom('/mcp', '/mcp/crm', '/mcp/vault', '/mcp/docs', '/mcp/nobody'),
  era: fc.constantFrom('legacy', 'modern'),
  asks: fc.array(ask, { minLength: 1, maxLength: 5 }),
})

/** All that a client learns, but for what is new with every request. */
async function learn(
  gateway: TestGateway,
  { who, path, era, asks }: typeof visit extends fc.Arbitrary<infer T> ? T : never,
): Promise<string> {
  const headers = who === undefined ? {} : { authorization: who }
  const told: unknown[] = []
  const common = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers }
  const note = (status: number, text: string): void => void told.push(status, text)
  if (era === 'modern') {
    const client = visitHttp(gateway, { path, headers })
    for (const { method, params } of asks) {
      const { status, text } = await (await client.start(method, params, { id: 7 })).done
      note(status, text)
    }
  } else {
    const greeted = await (await send(gateway, 'POST', path, initialize('2025-11-25', '{}'), common)).done
    note(greeted.status, greeted.text)
    const session = greeted.headers['mcp-session-id']
    for (const { method, params } of asks) {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 7, method, params })
      const { status, text } = await (
        await send(gateway, 'POST', path, body, { ...common, ...(typeof session === 'string' && { 'mcp-session-id': session }) })
      ).done
      note(status, text)
    }
  }
  return JSON.stringify(told).replace(/callId\\*":\\*"[^"\\]*/g, 'callId')
}

it.each(['qualified', 'bare'] as const)(
  'no answer tells a caller of another tenant, or nobody, that there is such a server (names: %s)',
  async names => {
    const { crm, with: having, without } = await world(names)
    await Promise.all([having, without].map(async gateway => connectHttp(gateway, { headers: { authorization: 'globex/ben' } })))
    const probed = crm.seen.length
    await fc.assert(
      fc.asyncProperty(visit, async one => {
        const answers = await Promise.all([learn(having, one), learn(without, one)])
        // A path that names it answers with its own name: so does one that names nothing.
        expect(answers[0]).toBe(answers[1])
        expect(answers[0]).not.toContain('of crm')
      }),
      { numRuns: 60 },
    )
    expect(crm.seen.length).toBe(probed)
  },
  60_000,
)

it('its own tenant sees it, beside what is for all', async () => {
  const { with: gateway } = await world('qualified')
  const client = await connectHttp(gateway, { headers: { authorization: 'acme/anna' } })
  const { tools } = (await client.ask('tools/list')).result
  expect(tools.map((tool: { name: string }) => tool.name)).toEqual(['crm__look', 'crm__crm_only', 'docs__look', 'docs__docs_only'])
  expect((await client.ask('tools/call', { name: 'crm__look', arguments: {} })).result.content).toEqual([{ type: 'text', text: 'of crm' }])
  const own = await connectHttp(gateway, { path: '/mcp/crm', headers: { authorization: 'acme/anna' } })
  expect((await own.ask('resources/read', { uri: 'crm:1' })).result.contents[0].text).toBe('of crm')
})

it('where nobody says who a caller is, a server with tenants is for nobody', async () => {
  const crm = opened(await upstreamOf('crm'))
  const gateway = opened(await startTestGateway({ servers: [crm.server('crm', { tenants: ['default'] })] }))
  const client = await connectHttp(gateway)
  expect((await client.ask('tools/list')).result.tools).toEqual([])
  expect(await visitHttp(gateway, { path: '/mcp/crm' }).ask('tools/list')).toMatchObject({ status: 404 })
})

it('what one tenant is shown is an answer for that tenant alone', async () => {
  const isPublic = '{"resultType":"complete","tools":[],"ttlMs":60000,"cacheScope":"public"}'
  const upstream = opened(await startHttpUpstream({ modern: everything, on: { 'tools/list': received => received.result(isPublic) } }))
  const scope = async (tenants: readonly string[] | undefined) => {
    const more = tenants === undefined ? {} : { tenants }
    const servers = [upstream.server('a', { protocol: 'auto' }), upstream.server('b', { protocol: 'auto', ...more })]
    const gateway = opened(await startTestGateway({ servers, plugins: [identifying] }))
    return (await visitHttp(gateway, { headers: { authorization: 'acme/anna' } }).ask('tools/list')).result.cacheScope
  }
  expect([await scope(undefined), await scope(['acme'])]).toEqual(['public', 'private'])
})

const common = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

it('what a server tells one caller of itself is told to no other', async () => {
  const upstream = opened(
    await startHttpUpstream({
      on: {
        initialize: received =>
          received.result(
            `{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"up","version":"1"},"instructions":"hello ${received.message.params.clientInfo.name}"}`,
          ),
      },
    }),
  )
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up')], plugins: [identifying] }))
  const greet = async (path: string, authorization: string): Promise<string> =>
    JSON.parse((await (await send(gateway, 'POST', path, initialize('2025-11-25', '{}'), { ...common, authorization })).done).text).result
      .instructions
  const anna = await connectHttp(gateway, { capabilities: '{"roots":{}}', headers: { authorization: 'acme/anna' } })
  await anna.ask('tools/list')
  // Her client was named to the server, and it has greeted it.
  expect(upstream.of('initialize').map(({ message }) => message.params.clientInfo.name)).toContain('test')
  for (const path of ['/mcp', '/mcp/up']) expect(await greet(path, 'globex/ben')).toMatch(/hello mcpgw$/)
})

it('what a server that all share says outside of calls is heard by nobody once two have used it, though one has gone', async () => {
  const upstream = opened(await startHttpUpstream({ stream: true, capabilities: '{"tools":{},"logging":{}}' }))
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up', { shared: true })], plugins: [identifying] }))
  const say = (data: string): void =>
    upstream.tell(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"alert","data":"${data}"}}`)
  const anna = await connectHttp(gateway, { headers: { authorization: 'acme/anna' } })
  const hers = await anna.listen()
  await anna.ask('tools/call', { name: 'up__echo', arguments: { secret: 'plans' } })
  await upstream.listening()
  say('she alone is here')
  expect((await hers.next()).params.data).toBe('she alone is here')
  expect((await anna.end()).status).toBe(200)
  const ben = await connectHttp(gateway, { headers: { authorization: 'globex/ben' } })
  const his = await ben.listen()
  await ben.ask('tools/list')
  say('of the plans')
  upstream.tell('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}')
  expect((await his.next()).method).toBe('notifications/tools/list_changed')
  his.drop()
})

it('a session of somebody else answers as one that there never was, whatever is asked of it', async () => {
  const gateway = opened(await startTestGateway({ servers: [], plugins: [identifying] }))
  const anna = await connectHttp(gateway, { headers: { authorization: 'acme/anna' } })
  const answers = async (id: string): Promise<unknown[]> => {
    const got: unknown[] = []
    const bodies = [
      '{"jsonrpc":"2.0","id":1,"method":"ping"}',
      '{"jsonrpc":"2.0","id":1,"result":{}}',
      '[{"jsonrpc":"2.0","id":1,"method":"ping"}]',
    ]
    for (const more of [{}, { 'mcp-protocol-version': '1999-01-01' }, { accept: 'application/json' }, { 'last-event-id': 'x.1.1' }])
      for (const [method, body] of [
        ...bodies.map(one => ['POST', one] as const),
        ['GET', undefined] as const,
        ['DELETE', undefined] as const,
      ]) {
        const headers = { ...common, authorization: 'globex/ben', 'mcp-session-id': id, ...more }
        const { status, text } = await (await send(gateway, method, '/mcp', body, headers)).done
        got.push([more, method, body, status, JSON.parse(text).error.data.mcpgw.code])
      }
    return got
  }
  expect(await answers(anna.sessionId)).toEqual(await answers('made-up'))
  expect((await anna.ask('ping')).result).toEqual({})
})
