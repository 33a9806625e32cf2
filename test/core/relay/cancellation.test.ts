// Cancelling: by the client, by hanging up, by the time limit. The right request of the right server, once, and no answer where none is due.
import { describe, expect, it } from 'vitest'
import { call, connectHttp, connectStdio } from '../data-plane/clients.ts'
import { plugin, startTestGateway, type TestGateway, until } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { leaveOpen, type Script } from '../data-plane/script.ts'
import { startStdioUpstream } from '../data-plane/stdio-upstream.ts'

const opened = closeAfterEach()

const cancelled = (id: string): string =>
  `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id},"reason":"no need"}}`
const later = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

async function start(kind: 'stdio' | 'http', callMs = 10_000): Promise<{ upstream: Script; gateway: TestGateway }> {
  const timeout = { startMs: 10_000, callMs, idleMs: 0 }
  const on = { 'tools/call': leaveOpen }
  const upstream = kind === 'stdio' ? await startStdioUpstream({ on }) : await startHttpUpstream({ on })
  opened(upstream)
  const gateway = await startTestGateway({ servers: [upstream.server('up', { timeout })], stdio: true })
  opened(gateway)
  return { upstream, gateway }
}

for (const kind of ['stdio', 'http'] as const) {
  describe(`cancelling over a ${kind} upstream`, () => {
    it('a cancelled call is cancelled upstream once, under our id, and gets no answer over standard streams', async () => {
      const { upstream, gateway } = await start(kind)
      const client = await connectStdio(gateway)
      client.write(call('c', 'up__echo'))
      const received = await upstream.next('tools/call')
      client.write(cancelled('"c"'))
      client.write(cancelled('"c"'))
      const told = await upstream.next('notifications/cancelled')
      expect(told.message.params).toEqual({ requestId: received.message.id, reason: 'no need' })
      received.result('{"content":[]}')
      await client.ask('ping')
      expect(client.lines.filter(line => line.includes('"c"'))).toEqual([])
      expect(upstream.of('notifications/cancelled')).toHaveLength(1)
    })

    it('over HTTP the response to a cancelled call ends without a message', async () => {
      const { upstream, gateway } = await start(kind)
      const client = await connectHttp(gateway)
      const answer = client.post(call(5, 'up__echo'))
      await upstream.next('tools/call')
      expect((await client.post(cancelled('5'))).status).toBe(202)
      expect((await answer).messages).toEqual([])
      await upstream.next('notifications/cancelled')
    })

    it('over HTTP a stream that has begun ends without an answer', async () => {
      const { upstream, gateway } = await start(kind)
      const client = await connectHttp(gateway)
      const stream = await Promise.all([
        client.start(call(5, 'up__echo', '{}', '{"progressToken":1}')),
        upstream.next('tools/call').then(received => {
          const token = received.message.params._meta.progressToken
          received.say(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${token},"progress":1}}`)
        }),
      ])
      await stream[0].next()
      await client.post(cancelled('5'))
      expect((await stream[0].done).messages).toHaveLength(1)
    })

    it('an id of another type, of nobody, or of another client cancels nothing', async () => {
      const { upstream, gateway } = await start(kind)
      const [client, other] = [await connectHttp(gateway), await connectHttp(gateway)]
      const answer = client.post(call(5, 'up__echo'))
      const received = await upstream.next('tools/call')
      for (const id of ['"5"', '6', 'null', '[5]', '5.0']) await client.post(cancelled(id))
      await client.post('{"jsonrpc":"2.0","method":"notifications/cancelled"}')
      await other.post(cancelled('5'))
      received.result('{"content":[],"done":true}')
      expect(JSON.parse((await answer).text).result.done).toBe(true)
      expect(upstream.of('notifications/cancelled')).toEqual([])
    })

    it('a client that hangs up has not cancelled', async () => {
      const { upstream, gateway } = await start(kind)
      const client = await connectHttp(gateway)
      const stream = client.start(call(5, 'up__echo', '{}', '{"progressToken":1}'))
      const received = await upstream.next('tools/call')
      const token = received.message.params._meta.progressToken
      received.say(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${token},"progress":1}}`)
      const gone = await stream
      gone.drop()
      await gone.done
      received.result('{"content":[]}')
      const session = gateway.gateway.sessions.find(client.sessionId)!
      await until(() => session.inflight.size === 0)
      expect(upstream.of('notifications/cancelled')).toEqual([])
      expect((await client.ask('ping')).result).toEqual({})
    })

    it('the time limit cancels upstream and answers upstream-timeout', async () => {
      const { upstream, gateway } = await start(kind, 500)
      const client = await connectHttp(gateway)
      const answer = JSON.parse((await client.post(call(5, 'up__echo'))).text)
      expect([answer.error.code, answer.error.data.mcpgw.code]).toEqual([42022, 'upstream-timeout'])
      const told = await upstream.next('notifications/cancelled')
      expect(told.message.params.requestId).toBe(upstream.of('tools/call')[0]!.message.id)
    })

    it('progress starts the time limit again', async () => {
      const { upstream, gateway } = await start(kind, 300)
      const client = await connectHttp(gateway)
      const answer = client.post(call(5, 'up__echo', '{}', '{"progressToken":1}'))
      const received = await upstream.next('tools/call')
      for (let n = 0; n < 5; n++) {
        await later(100)
        received.say(
          `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${received.message.params._meta.progressToken},"progress":${n}}}`,
        )
      }
      received.result('{"content":[],"done":true}')
      expect(JSON.parse((await answer).messages.at(-1)!).result.done).toBe(true)
      expect(upstream.of('notifications/cancelled')).toEqual([])
    })

    it('initialize is never cancelled, not even when it takes too long', async () => {
      const timeout = { startMs: 60, callMs: 1000, idleMs: 0 }
      const on = { initialize: leaveOpen }
      const upstream = kind === 'stdio' ? await startStdioUpstream({ on }) : await startHttpUpstream({ on })
      opened(upstream)
      const gateway = await startTestGateway({ servers: [upstream.server('up', { timeout })] })
      opened(gateway)
      const client = await connectHttp(gateway)
      const answer = await client.ask('tools/call', { name: 'up__echo' })
      expect(answer.error.data.mcpgw.code).toBe('upstream-unavailable')
      expect(upstream.of('notifications/cancelled')).toEqual([])
    })

    it('the end of a session cancels what it had under way', async () => {
      const { upstream, gateway } = await start(kind)
      const client = await connectHttp(gateway)
      const answer = client.post(call(5, 'up__echo'))
      await upstream.next('tools/call')
      expect((await client.end()).status).toBe(200)
      await upstream.next('notifications/cancelled')
      expect((await answer).messages).toEqual([])
      expect((await client.post(call(6, 'up__echo'))).status).toBe(404)
    })
  })
}

it('what a client says of its progress and of its reasons goes through the plugins before a server hears it', async () => {
  const masker = plugin('masker', ['masks'], {
    onNotification: (_x, { params }) => ({ kind: 'rewrite', value: JSON.parse(params.text.replaceAll('4111', '[card]')) }),
  })
  const upstream = opened(await startStdioUpstream({ on: { 'tools/call': leaveOpen } }))
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up')], plugins: [masker], stdio: true }))
  const client = await connectStdio(gateway, { capabilities: '{"sampling":{}}' })
  client.write(call(7, 'up__echo'))
  const received = await upstream.next('tools/call')
  received.say('{"jsonrpc":"2.0","id":"q","method":"sampling/createMessage","params":{"messages":[],"_meta":{"progressToken":"t"}}}')
  const asked = await client.find(message => message.method === 'sampling/createMessage')
  const token = asked.params._meta.progressToken
  client.write(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${token},"progress":1,"message":"4111"}}`)
  expect((await upstream.next('notifications/progress')).message.params).toEqual({ progressToken: 't', progress: 1, message: '[card]' })
  client.write('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7,"reason":"4111"}}')
  expect((await upstream.next('notifications/cancelled')).message.params.reason).toBe('[card]')
})
