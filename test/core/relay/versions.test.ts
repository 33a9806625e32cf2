// Versions of a server inside the relay: a call ends where it was decided for, what began at one goes on there, and nothing leads to another.
import { expect, test } from 'vitest'
import type { VersionedServer, VersionPins } from '../../../core/config/schema.ts'
import type { GatewayOptions } from '../../../core/gateway.ts'
import { indexKills } from '../../../core/kill/kills.ts'
import type { Reached } from '../../../core/kill/watch.ts'
import { connectHttp } from '../data-plane/clients.ts'
import { plugin, startTestGateway, until } from '../data-plane/gateway.ts'
import { type HttpUpstream, startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import type { Received } from '../data-plane/script.ts'
import { visitHttp } from '../data-plane/stateless-client.ts'

const opened = closeAfterEach()

/** `authorization: id` or `id role`. */
const names = plugin('names', ['authenticates'], {
  onRequest({ peer }) {
    const [id = '', ...roles] = (peer.header('authorization')[0] ?? '').split(' ')
    return id === ''
      ? { kind: 'pass' }
      : { kind: 'identify', principal: { id, roles, tenant: 'acme', claims: {}, via: { method: 'test' } } }
  },
})

interface Version {
  readonly upstream: HttpUpstream
  /** Calls of `slow` that wait. */
  readonly waiting: Received[]
}

async function versionOf(name: string): Promise<Version> {
  const waiting: Received[] = []
  const text = JSON.stringify({ content: [{ type: 'text', text: name }] })
  const upstream = await startHttpUpstream({
    capabilities: '{"tools":{"listChanged":true},"tasks":{"list":{},"requests":{"tools":{"call":{}}}}}',
    tools: [{ name: 'who' }, { name: 'slow' }, { name: `only_${name}` }].map(one =>
      JSON.stringify({ ...one, inputSchema: { type: 'object' } }),
    ),
    on: {
      'tools/call'(received) {
        if (received.message.params.name === 'slow') waiting.push(received)
        else if (received.message.params.task === undefined) received.result(text)
        else received.result('{"task":{"taskId":"t-1","status":"working"}}')
      },
      'tasks/get': received => received.result(JSON.stringify({ taskId: 't-1', by: name })),
    },
  })
  return { upstream: opened(upstream)!, waiting }
}

async function world(kills?: GatewayOptions['kills']) {
  const [one, two] = [await versionOf('one'), await versionOf('two')]
  const none = { roles: [], consumers: [], tenants: [] }
  const serverOf = (weights: readonly [number, number], pins: Partial<VersionPins> = {}): VersionedServer => ({
    kind: 'versioned',
    id: 'crm',
    name: 'crm',
    enabled: true,
    versions: [
      { weight: weights[0], pins: none, server: one.upstream.server('crm', { version: '1.0', shared: true }) },
      { weight: weights[1], pins: { ...none, ...pins }, server: two.upstream.server('crm', { version: '2.0', shared: true }) },
    ],
  })
  const test = opened(await startTestGateway({ servers: [serverOf([1, 0])], plugins: [names], ...(kills && { kills }) }))!
  return {
    one,
    two,
    test,
    weigh: (first: number, second: number, pins?: Partial<VersionPins>) => test.gateway.change([serverOf([first, second], pins)]),
  }
}

const textOf = (answer: { result?: { content?: { text: string }[] } }): string | undefined => answer.result?.content?.[0]?.text
const who = { name: 'crm__who' }

test('a session keeps its version when weights change, whoever has none is given another, and a call under way is answered where it is', async () => {
  const { one, test: gateway, weigh } = await world()
  const headers = { authorization: 'ann' }
  const [session, visitor] = [await connectHttp(gateway, { headers }), visitHttp(gateway, { headers })]
  expect([textOf(await session.ask('tools/call', who)), textOf(await visitor.ask('tools/call', who))]).toEqual(['one', 'one'])
  const slow = visitor.ask('tools/call', { name: 'crm__slow' })
  await until(() => one.waiting.length === 1)

  expect(weigh(0, 1)).toMatchObject({ added: [], removed: [], ids: { changed: ['crm'] } })
  expect([textOf(await session.ask('tools/call', who)), textOf(await visitor.ask('tools/call', who))]).toEqual(['one', 'two'])
  const listed = (await visitor.ask('tools/list')).result.tools.map(({ name }: { name: string }) => name)
  expect(listed).toEqual(['crm__who', 'crm__slow', 'crm__only_two'])
  expect((await session.ask('tools/call', { name: 'crm__only_two' })).error.message).toContain('unknown tool')
  expect((await visitor.ask('tools/call', { name: 'crm__only_one' })).error.message).toContain('unknown tool')
  one.waiting[0]!.result(JSON.stringify({ content: [{ type: 'text', text: 'late' }] }))
  expect(textOf(await slow)).toBe('late')
  expect(textOf(await (await connectHttp(gateway, { headers })).ask('tools/call', who))).toBe('two')
})

test('one caller who comes with this role and without it has, request by request, the version that he is pinned to or his share', async () => {
  const { test: gateway, weigh } = await world()
  weigh(1, 0, { roles: ['beta'] })
  const [plain, tester] = ['ann', 'ann beta'].map(authorization => visitHttp(gateway, { headers: { authorization } }))
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all([plain!.ask('tools/call', who), tester!.ask('tools/call', who)])
    expect(answers.map(textOf)).toEqual(['one', 'two'])
  }
})

test('a task is asked for at the version that has it, whichever its owner has by now, and equal ids of two versions are two tasks', async () => {
  const { one, test: gateway, weigh } = await world()
  const headers = { authorization: 'ann' }
  const before = await connectHttp(gateway, { headers })
  const first = (await before.ask('tools/call', { ...who, task: {} })).result.task.taskId
  weigh(0, 1)
  const after = await connectHttp(gateway, { headers })
  const second = (await after.ask('tools/call', { ...who, task: {} })).result.task.taskId
  for (const session of [before, after]) {
    expect((await session.ask('tasks/get', { taskId: first })).result.by).toBe('one')
    expect((await session.ask('tasks/get', { taskId: second })).result.by).toBe('two')
  }
  expect(one.upstream.of('tasks/get')).toHaveLength(2)
  const other = await connectHttp(gateway, { headers: { authorization: 'bob' } })
  expect((await other.ask('tasks/get', { taskId: first })).error.code).toBe(-32602)
})

test('where a version is down its callers get what callers of a server that is down get, and nobody else’s version is called', async () => {
  const { one, two, test: gateway } = await world()
  const session = await connectHttp(gateway, { headers: { authorization: 'ann' } })
  expect(textOf(await session.ask('tools/call', who))).toBe('one')
  await one.upstream.crash()
  for (let call = 0; call < 3; call++) {
    const { error } = await session.ask('tools/call', who)
    expect(['upstream-unavailable', 'upstream-crashed']).toContain(error.data.mcpgw.code)
  }
  const fresh = visitHttp(gateway, { headers: { authorization: 'bob' } })
  expect((await fresh.ask('tools/call', who)).error.data.mcpgw.code).toMatch(/^upstream-/)
  expect(two.upstream.of('tools/call')).toEqual([])
  await one.upstream.restart()
})

test('a version that is killed ends what it has under way; its sessions go on with another, and are told of its lists', async () => {
  let reached: Reached | undefined
  let now = indexKills([])
  const {
    one,
    two,
    test: gateway,
  } = await world({
    get now() {
      return now
    },
    carryOut(to) {
      reached = to
    },
  })
  const session = await connectHttp(gateway, { headers: { authorization: 'ann' } })
  expect(textOf(await session.ask('tools/call', who))).toBe('one')
  const slow = session.ask('tools/call', { name: 'crm__slow' })
  await until(() => one.waiting.length === 1)

  const carryOut = async (...killed: readonly string[]): Promise<void> => {
    now = indexKills(killed.map(name => ({ kind: 'version', name, at: 1, by: { id: 'cli:ann' } })))
    for (const { server, gate } of reached!.servers()) gate.shut(now.refuseServer(server) !== undefined)
    reached!.reassign()
    for (const name of killed) await reached!.pool.cut(name)
  }
  await carryOut('crm@1.0')
  expect((await slow).error.data.mcpgw.code).toBe('killed')
  expect(textOf(await session.ask('tools/call', who))).toBe('two')
  expect((await session.ask('tools/list')).result.tools.map(({ name }: { name: string }) => name)).toContain('crm__only_two')

  await carryOut('crm@1.0', 'crm@2.0')
  expect((await session.ask('tools/call', who)).error.data.mcpgw.code).toBe('killed')
  await carryOut()
  expect(textOf(await session.ask('tools/call', who))).toBe('two')
  expect(textOf(await (await connectHttp(gateway, { headers: { authorization: 'ann' } })).ask('tools/call', who))).toBe('one')
  expect(two.upstream.of('tools/call')).toHaveLength(2)
})
