// A credential that no longer holds: whatever its caller has open is ended at once, and nobody else's.
import { beforeEach, expect, it } from 'vitest'
import type { Outcome } from '../../../core/plugin/index.ts'
import { call, connectHttp } from '../data-plane/clients.ts'
import { authenticating, plugin, startTestGateway, until } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { leaveOpen } from '../data-plane/script.ts'
import { visitHttp } from '../data-plane/stateless-client.ts'

const opened = closeAfterEach()

const outcomes: Outcome[] = []
const settling = plugin('settling', [], {
  onResponse: ({ action }, answer) => {
    if (action === 'tools/call' && answer.kind === 'error') codes.push(answer.code)
    return { kind: 'pass' }
  },
  onSettled: ({ action }, outcome) => void (action === 'tools/call' && outcomes.push(outcome)),
})
const codes: unknown[] = []
beforeEach(() => {
  for (const list of [outcomes, codes]) list.length = 0
})
const ENDED = {
  error: { code: 42035, message: 'the credential has ended', data: { mcpgw: { code: 'credential-ended', callId: expect.any(String) } } },
}
/** Whose doing it was is known to whoever records it: not the client's. */
const expectEnded = async (count: number): Promise<void> => {
  await until(() => outcomes.length === count)
  expect(outcomes).toEqual(Array.from({ length: count }, () => ({ kind: 'cancelled', by: 'credential' })))
  expect(codes).toEqual(Array.from({ length: count }, () => 'credential-ended'))
}

async function world() {
  const upstream = opened(await startHttpUpstream({ on: { 'tools/call': leaveOpen } }))
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up')], plugins: [settling, authenticating] }))
  const { relay, sessions } = gateway.gateway
  return { upstream, gateway, sessions, expel: (id: string) => relay.expel(principal => principal.id === id) }
}

it('of a client with a session: its session, its stream and its calls', async () => {
  const { upstream, gateway, sessions, expel } = await world()
  const [anna, ben] = await Promise.all(['anna', 'ben'].map(name => connectHttp(gateway, { headers: { authorization: name } })))
  const stream = await anna!.listen()
  const other = await ben!.listen()
  const calling = anna!.start(call(1, 'up__echo'))
  const received = await upstream.next('tools/call')
  expel('anna')
  await stream.done
  expect((await (await calling).done).messages.map(text => JSON.parse(text))).toMatchObject([ENDED])
  expect(received.method).toBe('tools/call')
  await expectEnded(1)
  expect([...sessions.all()].map(session => session.principal?.id)).toEqual(['ben'])
  expect((await ben!.ask('ping')).result).toEqual({})
  expect((await anna!.post('{"jsonrpc":"2.0","id":2,"method":"ping"}')).status).toBe(404)
  other.drop()
})

it('of a client without sessions: its streams and its calls', async () => {
  const { upstream, gateway, expel } = await world()
  const anna = visitHttp(gateway, { headers: { authorization: 'anna' } })
  const ben = visitHttp(gateway, { headers: { authorization: 'ben' } })
  const listen = { notifications: { toolsListChanged: true } }
  const [stream, other] = await Promise.all([anna, ben].map(one => one.start('subscriptions/listen', listen)))
  await until(() => stream!.messages.length > 0 && other!.messages.length > 0)
  const calling = anna.start('tools/call', { name: 'up__echo', arguments: {} })
  await upstream.next('tools/call')
  expel('anna')
  await stream!.done
  // It must not wait for an answer that never comes.
  expect((await (await calling).done).messages.map(text => JSON.parse(text))).toMatchObject([ENDED])
  await expectEnded(1)
  expect((await ben.ask('tools/list')).result.tools).toHaveLength(1)
  expect(other!.messages).toHaveLength(1)
  other!.drop()
})
