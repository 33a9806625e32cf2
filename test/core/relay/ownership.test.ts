// What a session holds, and whose it is: nobody else's however alike the names, and never more than a little memory.
import { expect, it } from 'vitest'
import { connectHttp, send } from '../data-plane/clients.ts'
import { plugin, startTestGateway } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'

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
