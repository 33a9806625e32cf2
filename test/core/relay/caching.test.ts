// How long a stateless client may keep an answer, and for whom: never longer and never for more people than every server behind it says.
import { describe, expect, it } from 'vitest'
import { authenticating, plugin, startTestGateway, type TestGatewayOptions } from '../data-plane/gateway.ts'
import { type HttpUpstream, startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { echoTool, type Handler } from '../data-plane/script.ts'
import { visitHttp } from '../data-plane/stateless-client.ts'

const opened = closeAfterEach()
const gatewayTo = async (servers: TestGatewayOptions['servers'], more: Partial<TestGatewayOptions> = {}) =>
  opened(await startTestGateway({ servers, ...more }))

async function server(
  hints: string,
  on: Readonly<Record<string, Handler>> = {},
  tools: readonly string[] = [echoTool],
): Promise<HttpUpstream> {
  return opened(
    await startHttpUpstream({
      modern: '{"tools":{},"resources":{}}',
      on: {
        'tools/list': received => received.result(`{"resultType":"complete","tools":[${tools.join(',')}]${hints}}`),
        'resources/read': received => received.result(`{"resultType":"complete","contents":[]${hints}}`),
        ...on,
      },
    }),
  )
}
const hintsOf = ({ result: { ttlMs, cacheScope } }: { result: Record<string, unknown> }) => ({ ttlMs, cacheScope })

describe('a list', () => {
  const cases: readonly [string, readonly string[], object][] = [
    ['what its one server says', [',"ttlMs":60000,"cacheScope":"public"'], { ttlMs: 60_000, cacheScope: 'public' }],
    [
      'the shortest time of several',
      [',"ttlMs":60000,"cacheScope":"public"', ',"ttlMs":5,"cacheScope":"public"'],
      { ttlMs: 5, cacheScope: 'public' },
    ],
    [
      'private where one is',
      [',"ttlMs":60000,"cacheScope":"public"', ',"ttlMs":60000,"cacheScope":"private"'],
      { ttlMs: 60_000, cacheScope: 'private' },
    ],
    ['nothing to be kept where one says nothing', [',"ttlMs":60000,"cacheScope":"public"', ''], { ttlMs: 0, cacheScope: 'private' }],
    ['no time that is none', [',"ttlMs":-1,"cacheScope":"public"'], { ttlMs: 0, cacheScope: 'public' }],
    ['no time that is too long', [',"ttlMs":9007199254740991,"cacheScope":"shared"'], { ttlMs: 86_400_000, cacheScope: 'private' }],
    ['no time with a fraction', [',"ttlMs":1.5,"cacheScope":1'], { ttlMs: 0, cacheScope: 'private' }],
  ]
  it.each(cases)('says %s', async (_what, hints, expected) => {
    const servers = await Promise.all(hints.map(one => server(one)))
    const gateway = await gatewayTo(servers.map((one, i) => one.server(`s${i}`, { protocol: 'auto' })))
    expect(hintsOf(await visitHttp(gateway).ask('tools/list'))).toEqual(expected)
  })

  it('that depends on who asks is his alone', async () => {
    const one = await server(',"ttlMs":60000,"cacheScope":"public"')
    const seeing = plugin('see', ['narrows-list'], {
      onList: ({ principal }, items) => ({ kind: 'narrow', keep: items.map(() => principal?.id === 'ada') }),
    })
    const gateway = await gatewayTo([one.server('up', { protocol: 'auto' })], { plugins: [authenticating, seeing] })
    const [ada, bob] = ['ada', 'bob'].map(who => visitHttp(gateway, { headers: { authorization: who } }))
    const answers = [await ada!.ask('tools/list'), await bob!.ask('tools/list')]
    expect(answers.map(({ result }) => result.tools.length)).toEqual([1, 0])
    expect(answers.map(({ result }) => result.cacheScope)).toEqual(['private', 'private'])
  })

  it('goes on from a cursor for the principal who got it, and for no other list and nobody else', async () => {
    const tools = Array.from({ length: 1001 }, (_, i) => JSON.stringify({ name: `t${i}`, inputSchema: { type: 'object' } }))
    const one = await server(',"ttlMs":7,"cacheScope":"public"', {}, tools)
    const gateway = await gatewayTo([one.server('up', { protocol: 'auto' })], { plugins: [authenticating] })
    const [ada, bob] = ['ada', 'bob'].map(who => visitHttp(gateway, { headers: { authorization: who } }))
    const first = await ada!.ask('tools/list')
    const { nextCursor: cursor } = first.result
    const last = await ada!.ask('tools/list', { cursor })
    expect(last.result.tools).toMatchObject([{ name: 'up__t1000' }])
    expect(hintsOf(last)).toEqual(hintsOf(first))
    expect(await bob!.ask('tools/list', { cursor })).toMatchObject({ error: { code: -32602 } })
    expect(await ada!.ask('resources/list', { cursor })).toMatchObject({ error: { code: -32602 } })
    expect(await ada!.ask('tools/list', { cursor: `${cursor}A` })).toMatchObject({ error: { code: -32602 } })
  })

  it('loses no other tool to one whose annotations cannot be followed', async () => {
    const bad = JSON.stringify({ name: 'bad', inputSchema: { type: 'object', properties: { a: { type: 'array', 'x-mcp-header': 'A' } } } })
    const one = await server('', {}, [bad, echoTool])
    const gateway = await gatewayTo([one.server('up', { protocol: 'auto' })])
    const client = visitHttp(gateway)
    expect((await client.ask('tools/list')).result.tools).toMatchObject([{ name: 'up__echo' }])
    expect((await client.ask('tools/call', { name: 'up__bad' })).error.code).toBe(-32602)
    expect(gateway.logged.filter(({ message }) => message.startsWith('tool left out'))).toMatchObject([{ fields: { name: 'bad' } }])
  })
})

describe('a resource', () => {
  it('is kept as its server says, but where somebody decides who may read it', async () => {
    const one = await server(',"ttlMs":60000,"cacheScope":"public"')
    const allowing = plugin('all', ['decides'], { onRequest: () => ({ kind: 'allow', rules: [], obligations: [] }) })
    const gateways = [
      await gatewayTo([one.server('up', { protocol: 'auto' })]),
      await gatewayTo([one.server('up', { protocol: 'auto' })], { plugins: [allowing] }),
    ]
    const answers = await Promise.all(
      gateways.map(gateway => visitHttp(gateway, { path: '/mcp/up' }).ask('resources/read', { uri: 'x:y' })),
    )
    expect(answers.map(hintsOf)).toEqual([
      { ttlMs: 60_000, cacheScope: 'public' },
      { ttlMs: 60_000, cacheScope: 'private' },
    ])
  })

  it('that took more than one round is not kept', async () => {
    const one = await server('', {
      'resources/read': received =>
        received.message.params.requestState === undefined
          ? received.result('{"resultType":"input_required","requestState":"s"}')
          : received.result('{"resultType":"complete","contents":[],"ttlMs":60000,"cacheScope":"public"}'),
    })
    const gateway = await gatewayTo([one.server('up', { protocol: 'auto' })])
    const client = visitHttp(gateway, { path: '/mcp/up' })
    const { result } = await client.ask('resources/read', { uri: 'x:y' })
    expect(result).toEqual({ resultType: 'input_required', requestState: expect.any(String) })
    const again = await client.ask('resources/read', { uri: 'x:y', requestState: result.requestState })
    expect(hintsOf(again)).toEqual({ ttlMs: 0, cacheScope: 'private' })
  })
})
