// One client on standard streams is of one era: its first request settles which, and nothing of the other is taken after it.
import { expect, it } from 'vitest'
import { initialize, openStdio, type StdioClient } from '../data-plane/clients.ts'
import { startTestGateway } from '../data-plane/gateway.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { leaveOpen } from '../data-plane/script.ts'
import { envelope } from '../data-plane/stateless-client.ts'
import { type StdioUpstream, startStdioUpstream } from '../data-plane/stdio-upstream.ts'

const opened = closeAfterEach()

async function connect(on = {}): Promise<{ client: StdioClient; upstream: StdioUpstream }> {
  const upstream = opened(await startStdioUpstream({ on }))
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up')], stdio: true }))
  return { client: openStdio(gateway), upstream }
}

const request = (id: number | string, method: string, params: object = {}): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta: { ...envelope('{}'), progressToken: id } } })

it('without a handshake, once it has said so in a request', async () => {
  const { client } = await connect()
  client.write(request('d', 'server/discover'))
  expect((await client.next()).result.supportedVersions).toEqual(['2026-07-28'])
  client.write(request(1, 'tools/call', { name: 'up__echo', arguments: { a: 1 } }))
  expect((await client.next()).result).toEqual({ content: [], echo: { a: 1 }, resultType: 'complete' })
  client.write(initialize('2025-11-25', '{}'))
  expect(await client.next()).toMatchObject({ id: 0, error: { code: -32600, message: expect.stringContaining('2026-07-28') } })
  client.write('{"jsonrpc":"2.0","id":2,"method":"tools/list"}')
  expect(await client.next()).toMatchObject({ id: 2, error: { code: -32600 } })
})

it('with a handshake, also after it has asked what is spoken', async () => {
  const { client } = await connect()
  client.write(request('d', 'server/discover'))
  await client.next()
  client.write(initialize('2025-11-25', '{}'))
  expect((await client.next()).result.protocolVersion).toBe('2025-11-25')
  client.write('{"jsonrpc":"2.0","method":"notifications/initialized"}')
  client.write(request(1, 'tools/list'))
  expect(await client.next()).toMatchObject({ id: 1, error: { code: -32600, message: expect.stringContaining('initialize') } })
  client.write('{"jsonrpc":"2.0","id":2,"method":"tools/list"}')
  expect((await client.next()).result).not.toHaveProperty('resultType')
})

it('cancels one request by its id, and hears no more of it', async () => {
  const { client, upstream } = await connect({ 'tools/call': leaveOpen })
  client.write(request(1, 'tools/call', { name: 'up__echo' }))
  const first = await upstream.next('tools/call')
  client.write(request('1', 'tools/call', { name: 'up__echo' }))
  const second = await upstream.next('tools/call')
  client.write('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"enough"}}')
  const cancelled = await upstream.next('notifications/cancelled')
  expect(cancelled.message.params).toMatchObject({ requestId: first.message.id, reason: 'enough' })
  first.result('{"content":["late"]}')
  second.say(
    `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${second.message.params._meta.progressToken},"progress":1}}`,
  )
  expect((await client.next()).params).toEqual({ progressToken: '1', progress: 1 })
  second.result('{"content":[]}')
  expect((await client.next()).id).toBe('1')
  expect(client.lines).toHaveLength(2)
})

it('whose responses and claims of other versions are not taken', async () => {
  const { client } = await connect()
  const other = { ...envelope('{}'), 'io.modelcontextprotocol/protocolVersion': '2099-01-01' }
  client.write(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: other } }))
  expect((await client.next()).error).toMatchObject({ code: -32022, data: { supported: ['2026-07-28'], requested: '2099-01-01' } })
  client.write(request(2, 'tools/list'))
  await client.next()
  client.write('{"jsonrpc":"2.0","id":7,"result":{}}')
  client.write(request(3, 'tools/list'))
  expect((await client.next()).id).toBe(3)
})
