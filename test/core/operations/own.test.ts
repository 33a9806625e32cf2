// The gateway's own tools: found, called and narrowed as their caller may, and nobody else's things told.
import { describe, expect, it } from 'vitest'
import { search } from '../../../core/operations/search.ts'
import { connectHttp } from '../data-plane/clients.ts'
import { plugin, startTestGateway, type TestGatewayOptions } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'

const opened = closeAfterEach()
const named = (name: string) => JSON.stringify({ name, inputSchema: { type: 'object' } })
const gateway = { tools: ['*'], operators: ['ops'] }

/** `anna@acme`: id and tenant. */
const tenants = plugin('names', ['authenticates'], {
  onRequest({ peer, direction }) {
    const [id = '', tenant = ''] = (peer.header('authorization')[0] ?? '').split('@')
    if (direction === 'to-client' || id === '') return { kind: 'pass' }
    return { kind: 'identify', principal: { id, roles: [], tenant, claims: {}, via: { method: 'test' } } }
  },
})

async function world(more: Partial<TestGatewayOptions> = {}) {
  const [one, two] = [
    opened(await startHttpUpstream({ tools: [named('read'), named('write')] })),
    opened(await startHttpUpstream({ tools: [named('pay')] })),
  ]
  const servers = [one!.server('files', { tenants: ['acme', 'globex'] }), two!.server('bank', { tenants: ['acme'] })]
  const test = opened(await startTestGateway({ servers, gateway, plugins: [tenants], ...more }))
  const as = async (who: string) => {
    const client = await connectHttp(test, { headers: { authorization: who } })
    return async (name: string, args: object = {}) => (await client.ask('tools/call', { name: `gateway__${name}`, arguments: args })).result
  }
  return { as, one: one!, two: two!, test }
}

describe('list_tools', () => {
  it('lists what its caller may see, and finds by words', async () => {
    const { as } = await world()
    const acme = await as('anna@acme')
    const all = (await acme('list_tools')).structuredContent
    expect(all.tools.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(['files__read', 'files__write', 'bank__pay', 'gateway__call']),
    )
    const found = (await acme('list_tools', { text: 'pay bank' })).structuredContent
    expect(found.tools[0].name).toBe('bank__pay')
    const globex = await as('ben@globex')
    expect((await globex('list_tools', { text: 'pay' })).structuredContent).toEqual({ tools: [], total: 0 })
  })
})

describe('call', () => {
  it('gives the result of the tool as it is', async () => {
    const { as, one } = await world()
    const result = await (await as('anna@acme'))('call', { tool: 'files__read', arguments: { path: 'a' } })
    expect(result.isError).toBeFalsy()
    expect(result.content).toBeDefined()
    expect(one.of('tools/call')).toHaveLength(1)
  })

  it('of a tool of somebody else is a call of a tool that there is not', async () => {
    const { as, two } = await world()
    const result = await (await as('ben@globex'))('call', { tool: 'bank__pay' })
    expect(result.isError).toBe(true)
    expect(result.structuredContent.error.message).toContain('unknown tool')
    expect(two.of('tools/call')).toEqual([])
  })

  it('is decided by the rule of the tool that it calls', async () => {
    const rules = plugin('rules', ['decides'], {
      onRequest: ({ resource }) =>
        resource.kind === 'call' && resource.tool === 'read'
          ? { kind: 'deny', code: 'denied', reason: 'not this one' }
          : { kind: 'allow', rules: [], obligations: [] },
    })
    const { as, one } = await world({ plugins: [tenants, rules] })
    const result = await (await as('anna@acme'))('call', { tool: 'files__read' })
    expect(result).toMatchObject({ isError: true, content: [{ text: 'not this one' }] })
    expect(one.of('tools/call')).toEqual([])
  })
})

describe('servers', () => {
  it('are those of the tenant; an operator sees all, and more of each', async () => {
    const { as } = await world()
    const idsOf = (result: { structuredContent: { servers: { server: string }[] } }) =>
      result.structuredContent.servers.map(({ server }) => server)
    expect(idsOf(await (await as('anna@acme'))('list_servers'))).toEqual(['files', 'bank'])
    const globex = await as('ben@globex')
    expect(idsOf(await globex('list_servers'))).toEqual(['files'])
    const one = (await globex('server_status', { server: 'files' })).structuredContent
    expect(Object.keys(one).toSorted()).toEqual(['calls', 'protocol', 'server', 'since', 'state'])
    const [other, none] = [await globex('server_status', { server: 'bank' }), await globex('server_status', { server: 'nope' })]
    expect(other).toEqual(none)
    const ops = (await (await as('olga@ops'))('server_status', { server: 'bank' })).structuredContent
    expect(ops).toMatchObject({ server: 'bank', restarts: 0, pids: [] })
  })

  it('are found by tag and owner among those that the caller may use, with what is said of them', async () => {
    const up = opened(await startHttpUpstream({ tools: [named('read')] }))
    const about = { description: 'Papers', owner: 'team-a', tags: ['papers', 'x'] }
    const servers = [
      up.server('open', about),
      up.server('secret', { owner: 'team-a', tags: ['papers'], tenants: ['acme'] }),
      up.server('plain'),
    ]
    const { as } = await world({ servers })
    const found = async (who: string, input: object) =>
      (await (await as(who))('list_servers', input)).structuredContent.servers as { server: string }[]
    const idsOf = async (who: string, input: object) => (await found(who, input)).map(({ server }) => server)
    expect(await idsOf('anna@acme', { tag: 'papers' })).toEqual(['open', 'secret'])
    expect(await idsOf('ben@globex', { tag: 'papers' })).toEqual(['open'])
    expect(await idsOf('anna@acme', { owner: 'team-a', tag: 'x' })).toEqual(['open'])
    expect(await idsOf('anna@acme', { owner: 'team' })).toEqual([])
    expect(await found('ben@globex', { owner: 'team-a' })).toMatchObject([about])
    const acme = await as('anna@acme')
    expect((await acme('server_status', { server: 'open' })).structuredContent).toMatchObject(about)
    expect(Object.keys((await acme('server_status', { server: 'plain' })).structuredContent)).not.toContain('tags')
    expect((await acme('list_servers', { tag: 'No Tag' })).structuredContent.error).toMatchObject({
      code: 'invalid-arguments',
      field: 'tag',
    })
  })

  it('are described as they were given last, and nothing of them ends for that', async () => {
    const up = opened(await startHttpUpstream({ tools: [named('read')] }))
    const { as, test } = await world({ servers: [up.server('one', { owner: 'team-a', tags: ['old'] })] })
    const anna = await as('anna@acme')
    const status = async () => (await anna('server_status', { server: 'one' })).structuredContent as object
    expect(await status()).toMatchObject({ owner: 'team-a', tags: ['old'] })
    expect((await anna('call', { tool: 'one__read' })).isError).toBeFalsy()
    const sessions = up.of('initialize').length
    const change = test.gateway.change([up.server('one', { tags: ['new'] })])
    expect([change?.added, change?.removed, change?.ids.changed]).toEqual([[], [], ['one']])
    expect(await status()).toMatchObject({ tags: ['new'] })
    expect(Object.keys(await status())).not.toContain('owner')
    expect((await anna('list_servers', { tag: 'old' })).structuredContent).toEqual({ servers: [] })
    expect((await anna('call', { tool: 'one__read' })).isError).toBeFalsy()
    expect([up.of('initialize').length, up.deleted]).toEqual([sessions, []])
  })

  it('in which a caller may see nothing are not shown to him', async () => {
    const narrowing = plugin('narrows', ['decides', 'narrows-list'], {
      onRequest: () => ({ kind: 'allow', rules: [], obligations: [] }),
      onList: (_, items) => ({ kind: 'narrow', keep: items.map(({ server }) => server !== 'bank') }),
    })
    const { as } = await world({ plugins: [tenants, narrowing] })
    const shown = (await (await as('anna@acme'))('list_servers')).structuredContent.servers
    expect(shown.map(({ server }: { server: string }) => server)).toEqual(['files'])
  })
})

describe('search', () => {
  const items = [
    { name: 'crm__getCustomer', description: 'Returns one customer' },
    { name: 'crm__list_orders', description: 'Lists the orders of a customer' },
    { name: 'pay__refund', description: 'Gives money back' },
  ]
  it('puts the name before the description, and leaves out what does not fit', () => {
    expect(search(items, 'customer').map(({ name }) => name)).toEqual(['crm__getCustomer', 'crm__list_orders'])
    expect(search(items, 'REFUND money').map(({ name }) => name)).toEqual(['pay__refund'])
    expect(search(items, 'custom').map(({ name }) => name)).toEqual(['crm__getCustomer', 'crm__list_orders'])
    expect(search(items, 'nothing of this')).toEqual([items[1]])
  })
  it('for no word finds all', () => {
    expect(search(items, ' -- ')).toEqual(items)
  })
})
