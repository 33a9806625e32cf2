// Cancelling between the eras: however a client says it, its server hears of exactly that call, once, in the words of its own revision.
import { describe, expect, it } from 'vitest'
import { call, connectHttp, connectStdio, openStdio } from '../data-plane/clients.ts'
import { startTestGateway, type TestGateway, until } from '../data-plane/gateway.ts'
import { type HttpReceived, startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { leaveOpen, type Received, type Script } from '../data-plane/script.ts'
import { envelope, visitHttp } from '../data-plane/stateless-client.ts'
import { startStdioUpstream } from '../data-plane/stdio-upstream.ts'

const opened = closeAfterEach()
const ID = 7

/** One call with id 7, under way. */
interface Call {
  /** As this client says that it does not want the answer any more. */
  cancel(): Promise<unknown>
  /** Goes away without a word, where that is something else. */
  hangUp?(): Promise<unknown>
  /** The answer's result, or undefined where the call ended without one. */
  readonly result: Promise<unknown>
}

const cancelled = `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${ID},"reason":"no need"}}`
const resultOf = (messages: readonly string[]): unknown => (messages.length === 0 ? undefined : JSON.parse(messages.at(-1)!).result)

const clients: Readonly<Record<string, (gateway: TestGateway) => Promise<(mark: string) => Call>>> = {
  'a client with a session over HTTP': async gateway => {
    const client = await connectHttp(gateway)
    return mark => {
      const stream = client.start(call(ID, 'up__echo', JSON.stringify({ mark }), '{"progressToken":1}'))
      const result = stream.then(one => one.done).then(({ messages }) => resultOf(messages))
      const hangUp = async () => {
        const one = await stream
        one.drop()
        await one.done
      }
      return { cancel: () => client.post(cancelled), hangUp, result }
    }
  },
  'a client with a session over standard streams': async gateway => {
    const client = await connectStdio(gateway)
    return mark => {
      const from = client.lines.length
      client.write(call(ID, 'up__echo', JSON.stringify({ mark })))
      // Over standard streams a call that gets no answer ends without a sign: whatever is asked after it is answered.
      const result = client.find(({ id, method }) => method === undefined && (id === ID || id === 'after'), from).then(one => one.result)
      const cancel = async () => {
        client.write(cancelled)
        client.write('{"jsonrpc":"2.0","id":"after","method":"ping"}')
      }
      return { cancel, result: result.then(got => (JSON.stringify(got) === '{}' ? undefined : got)) }
    }
  },
  'a stateless client over standard streams': async gateway => {
    const client = openStdio(gateway)
    const request = (id: number | string, method: string, params: object): void =>
      client.write(JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta: envelope('{}') } }))
    return mark => {
      request(ID, 'tools/call', { name: 'up__echo', arguments: { mark } })
      const cancel = async () => {
        client.write(cancelled)
        request('after', 'tools/list', {})
      }
      const result = client.find(({ id }) => id === ID || id === 'after').then(one => (one.id === ID ? one.result : undefined))
      return { cancel, result }
    }
  },
  'a stateless client over HTTP': async gateway => {
    const client = visitHttp(gateway)
    return mark => {
      const stream = client.start('tools/call', { name: 'up__echo', arguments: { mark } }, { id: ID, meta: { progressToken: 1 } })
      const result = stream.then(one => one.done).then(({ messages }) => resultOf(messages.filter(text => text.includes('"id":'))))
      return { cancel: () => stream.then(one => one.drop()), result }
    }
  },
}

for (const era of ['legacy', 'modern'] as const) {
  for (const transport of ['stdio', 'http'] as const) {
    describe(`a ${era} server over ${transport}`, () => {
      const start = async (): Promise<{ upstream: Script; gateway: TestGateway; cuts: () => unknown[] }> => {
        const options = { on: { 'tools/call': begin }, ...(era === 'modern' && { modern: '{"tools":{}}' }) }
        const upstream = opened(transport === 'stdio' ? await startStdioUpstream(options) : await startHttpUpstream(options))
        const gateway = opened(await startTestGateway({ servers: [upstream.server('up', { protocol: 'auto' })], stdio: true }))
        return { upstream, gateway, cuts: () => cutsOf(upstream) }
      }
      /** Ids of the calls that the server was told to give up. */
      const cutsOf = (upstream: Script): unknown[] =>
        era === 'modern' && transport === 'http'
          ? upstream.of('tools/call').flatMap(one => ((one as HttpReceived).response.destroyed && !isAnswered(one) ? [one.message.id] : []))
          : upstream.of('notifications/cancelled').map(one => one.message.params.requestId)

      for (const [who, connect] of Object.entries(clients)) {
        it(`${who}: the one call that is cancelled ends, with its own id, once, and without an answer; an equal one of another client goes on`, async () => {
          const { upstream, gateway, cuts } = await start()
          const [mine, other] = [await connect(gateway), await clients['a client with a session over HTTP']!(gateway)]
          const first = mine('mine')
          const received = await upstream.next('tools/call')
          const second = other('other')
          const untouched = await upstream.next('tools/call')
          await first.cancel()
          await until(() => cuts().length > 0)
          await first.cancel()
          untouched.answer(`{"jsonrpc":"2.0","id":${untouched.message.id},"result":{"resultType":"complete","content":[],"whose":"other"}}`)
          expect(await second.result).toMatchObject({ whose: 'other' })
          expect(await first.result).toBe(undefined)
          expect(cuts()).toEqual([received.message.id])
          expect(received.message.params.arguments.mark).toBe('mine')
          if (era === 'modern' && transport === 'http') expect(upstream.of('notifications/cancelled')).toEqual([])
        })
      }

      it('a client with a session that hangs up has cancelled nothing', async () => {
        const { upstream, gateway, cuts } = await start()
        const one = (await clients['a client with a session over HTTP']!(gateway))('mine')
        const received = await upstream.next('tools/call')
        await one.hangUp!()
        received.answer(`{"jsonrpc":"2.0","id":${received.message.id},"result":{"resultType":"complete","content":[]}}`)
        await until(() => [...gateway.gateway.sessions.all()].every(session => session.inflight.size === 0))
        expect(cuts()).toEqual([])
        expect(upstream.of('notifications/cancelled')).toEqual([])
      })
    })
  }
}

/** Progress at once, so that there is a stream to hang up. */
function begin(received: Received): void {
  const token = received.message.params._meta?.progressToken
  if (token !== undefined)
    received.say(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${token},"progress":1}}`)
  leaveOpen(received)
}

function isAnswered(one: Received): boolean {
  return (one as HttpReceived).response.writableEnded
}
