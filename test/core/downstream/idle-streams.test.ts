// Streams on which nothing is said for long: kept alive for whatever stands between, by one timer, and no reason to end a session.
import { expect, it } from 'vitest'
import { call, connectHttp, type Streaming } from '../data-plane/clients.ts'
import { startTestGateway, until } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { leaveOpen } from '../data-plane/script.ts'
import { createManualClock } from '../upstream/manual-clock.ts'

const opened = closeAfterEach()
const minute = 60_000
const comments = (stream: Streaming): number => stream.text().split(': keep-alive\n\n').length - 1

async function world() {
  const upstream = opened(await startHttpUpstream({ on: { 'tools/call': leaveOpen } }))
  const clock = createManualClock()
  const timeout = { startMs: 5000, callMs: 100 * minute, idleMs: 0 }
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up', { timeout })], clock }))
  return { upstream, clock, gateway }
}

it('a call that is long in coming becomes a stream with comments within 40 seconds, and is answered on it', async () => {
  const { upstream, clock, gateway } = await world()
  const client = await connectHttp(gateway)
  const starting = client.start(call(1, 'up__echo'))
  const received = await upstream.next('tools/call')
  let headers = false
  void starting.then(() => {
    headers = true
  })
  clock.advance(20_000)
  expect((await client.ask('ping')).result).toEqual({})
  expect(headers).toBe(false)
  clock.advance(20_000)
  const stream = await starting
  await until(() => comments(stream) === 1)
  clock.advance(20_000)
  await until(() => comments(stream) === 2)
  received.result('{"content":[]}')
  const { headers: sent, messages } = await stream.done
  expect([sent['content-type'], JSON.parse(messages[0]!).result]).toEqual(['text/event-stream', { content: [] }])
  expect(stream.ids).toHaveLength(2)
})

it('a stream that was resumed is kept alive as the first one was, one that was lost costs nothing', async () => {
  const { upstream, clock, gateway } = await world()
  const client = await connectHttp(gateway)
  const starting = client.start(call(1, 'up__echo'))
  const received = await upstream.next('tools/call')
  clock.advance(40_000)
  const stream = await starting
  await until(() => comments(stream) === 1)
  stream.drop()
  clock.advance(20_000)
  const again = await client.listen(stream.ids[0])
  clock.advance(20_000)
  await until(() => comments(again) === 1)
  received.result('{"content":[]}')
  expect((await again.done).messages).toHaveLength(1)
})

it('a session with an open stream does not end for idleness; without one it does, though messages are kept for it', async () => {
  const { clock, gateway } = await world()
  const client = await connectHttp(gateway)
  const { sessions } = gateway.gateway
  const stream = await client.listen()
  for (let i = 0; i < 2 * 60; i++) clock.advance(minute)
  expect(sessions.size).toBe(1)
  await until(() => comments(stream) === 2 * 60 * 3)
  stream.drop()
  await until(() => sessions.find(client.sessionId)!.stream?.away === true)
  for (let i = 0; i < 31; i++) clock.advance(minute)
  expect(sessions.size).toBe(0)
  const refused = await client.post('{"jsonrpc":"2.0","id":1,"method":"ping"}')
  expect([refused.status, JSON.parse(refused.text).error.data.mcpgw.code]).toEqual([404, 'session-unknown'])
  expect((await client.listen(stream.ids[0])).status).toBe(404)
})

it('a client that is told to wait by the gateway that stops comes back no sooner', async () => {
  const { gateway } = await world()
  const client = await connectHttp(gateway)
  const stream = await client.listen()
  const stopped = gateway.gateway.stop(1000)
  await stream.done
  expect(stream.text()).toMatch(/retry: 3000\n\n$/)
  await stopped
})
