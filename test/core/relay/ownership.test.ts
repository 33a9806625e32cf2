// What a session holds, and whose it is: nobody else's however alike the names, and never more than a little memory.
import { expect, it } from 'vitest'
import { connectHttp, send } from '../data-plane/clients.ts'
import { authenticating, plugin, startTestGateway } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { visitHttp } from '../data-plane/stateless-client.ts'

const opened = closeAfterEach()
const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

/** `authorization: tenant/id`. */
const tenants = plugin('names', ['authenticates'], {
  onRequest({ peer }) {
    const [tenant, id] = peer.header('authorization')[0]!.split('/') as [string, string]
    return { kind: 'identify', principal: { id, roles: [], tenant, claims: {}, via: { method: 'test' } } }
  },
})

it('principals with the same id in two tenants share neither session nor server state', async () => {
  const upstream = opened(await startHttpUpstream())
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up')], plugins: [tenants] }))
  const ours = await connectHttp(gateway, { headers: { authorization: 'acme/alice' } })
  const theirs = { authorization: 'other/alice' }
  await ours.ask('tools/list')
  const before = upstream.opened
  const other = await connectHttp(gateway, { headers: theirs })
  await other.ask('tools/list')
  expect(upstream.opened).toBe(before + 1)
  const stolen = await ours.post('{"jsonrpc":"2.0","id":1,"method":"tools/list"}', theirs)
  expect(JSON.parse(stolen.text).error.data.mcpgw.code).toBe('session-unknown')
  expect((await ours.end(theirs)).status).toBe(404)
  expect((await ours.ask('ping')).result).toEqual({})
})

it('whoever names the session of somebody else neither keeps it open nor leaves on record what its client calls itself', async () => {
  const upstream = opened(await startHttpUpstream())
  const settled: { tenant: string | undefined; client: unknown; kind: string }[] = []
  const recorder = plugin('recorder', ['records'], {
    onSettled: ({ principal, client }, { kind }) => void settled.push({ tenant: principal?.tenant, client, kind }),
  })
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up')], plugins: [recorder, tenants] }))
  const ours = await connectHttp(gateway, { headers: { authorization: 'acme/alice' } })
  await ours.ask('tools/list')
  const [session] = [...gateway.gateway.sessions.all()]
  const seen = session!.lastSeen
  const theirs = { authorization: 'other/bob' }
  for (const message of [
    '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    '{"jsonrpc":"2.0","id":1,"method":"ping"}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"up__echo"}}',
    '{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"debug"}}',
    '{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}',
    '{"jsonrpc":"2.0","id":1,"result":{}}',
  ])
    expect((await ours.post(message, theirs)).status).toBe(404)
  expect((await ours.end(theirs)).status).toBe(404)
  expect(session!.lastSeen).toBe(seen)
  const own = settled.filter(({ tenant }) => tenant === 'other')
  expect(own).toHaveLength(7)
  for (const one of own) expect(one).toEqual({ tenant: 'other', client: undefined, kind: 'denied' })
  await ours.ask('ping')
  expect(session!.lastSeen).toBeGreaterThan(seen)
  expect(settled.at(-1)).toMatchObject({ tenant: 'acme', client: { name: expect.any(String) } })
})

/** All of them are `ann` of one tenant, whom somebody else vouches for: id, method and issuer. */
const vouched = ['ann|api-key', 'ann|certificate', 'ann|jwt|https://one.example', 'ann|jwt|https://two.example']
const others = vouched.flatMap(one => vouched.filter(other => other !== one).map(other => [one, other] as const))

it.each(others)('what %s has open is not within reach of %s', async (one, other) => {
  const upstream = opened(
    await startHttpUpstream({
      capabilities: '{"tools":{},"tasks":{"list":{},"requests":{"tools":{"call":{}}}}}',
      on: {
        'tools/call': received => received.result('{"task":{"taskId":"t-1","status":"working","ttl":1.0}}'),
        'tasks/get': received => received.result('{"taskId":"t-1","status":"working"}'),
        'tasks/list': received => received.result('{"tasks":[{"taskId":"t-1"}]}'),
      },
    }),
  )
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up')], plugins: [authenticating] }))
  const [mine, theirs] = [
    await connectHttp(gateway, { headers: { authorization: one } }),
    await connectHttp(gateway, { headers: { authorization: other } }),
  ]
  const { taskId } = (await mine.ask('tools/call', { name: 'up__echo', task: {} })).result.task
  expect((await theirs.ask('tasks/get', { taskId })).error.code).toBe(-32602)
  expect((await theirs.ask('tasks/list')).result.tasks).toEqual([])
  expect((await mine.ask('tasks/get', { taskId })).result.status).toBe('working')
  const stolen = await mine.post('{"jsonrpc":"2.0","id":1,"method":"tools/list"}', { authorization: other })
  expect(JSON.parse(stolen.text).error.data.mcpgw.code).toBe('session-unknown')
  expect((await mine.end({ authorization: other })).status).toBe(404)

  // Nor what stands for the requests of stateless clients.
  for (const authorization of [one, other]) await visitHttp(gateway, { headers: { authorization } }).ask('tools/call', { name: 'up__echo' })
  expect(gateway.gateway.sessions.size).toBe(4)
  expect(new Set([...gateway.gateway.sessions.all()].map(({ owner }) => owner)).size).toBe(2)
})

it('a principal whose method or issuer holds what separates them is nobody', async () => {
  const gateway = opened(
    await startTestGateway({
      servers: [],
      plugins: [
        plugin('names', ['authenticates'], {
          onRequest: ({ peer }) => {
            const [method, issuer] = JSON.parse(peer.header('authorization')[0]!) as [string, string?]
            return {
              kind: 'identify',
              principal: { id: 'ann', roles: [], tenant: 'default', claims: {}, via: { method, ...(issuer !== undefined && { issuer }) } },
            }
          },
        }),
      ],
    }),
  )
  const tell = async (...via: string[]): Promise<unknown> =>
    JSON.parse(
      (
        await (
          await send(gateway, 'POST', '/mcp', initialize({ name: 'x', version: '1' }), { ...headers, authorization: JSON.stringify(via) })
        ).done
      ).text,
    ).error?.data.mcpgw.code
  expect([await tell('jwt'), await tell('jwt', 'https://one.example')]).toEqual([undefined, undefined])
  for (const via of [['jwt\0https://one.example'], ['jwt', 'https://one.example\0'], ['']]) expect(await tell(...via)).toBe('plugin-failed')
})

function initialize(clientInfo: unknown, rest: Record<string, unknown> = {}): string {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo, ...rest }
  return JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params })
}

it('what a client says of itself is bounded, and the rest of its first message is not kept', async () => {
  const gateway = opened(await startTestGateway({ servers: [] }))
  const long = await (await send(gateway, 'POST', '/mcp', initialize({ name: 'x'.repeat(70_000), version: '1' }), headers)).done
  expect(JSON.parse(long.text).error.data.mcpgw.code).toBe('too-large')
  expect([long.headers['mcp-session-id'], gateway.gateway.sessions.size]).toEqual([undefined, 0])
  const padded = initialize({ name: 'x', version: '1' }, { padding: 'x'.repeat(1_000_000) })
  await (await send(gateway, 'POST', '/mcp', padded, headers)).done
  const [session] = gateway.gateway.sessions.all()
  expect(session!.info.bytes.buffer.byteLength).toBeLessThan(100_000)
  expect(session!.client).toEqual({ name: 'x', version: '1' })
})
