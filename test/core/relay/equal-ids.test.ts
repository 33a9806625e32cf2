// Four clients that all use the same ids and the same progress tokens, and a server that answers in any order, twice, and too late: nobody gets what is another's.
import { expect, it } from 'vitest'
import { call, connectHttp, connectStdio } from '../data-plane/clients.ts'
import { startTestGateway, type TestGateway, until } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import type { Received, Script } from '../data-plane/script.ts'
import { visitHttp } from '../data-plane/stateless-client.ts'
import { startStdioUpstream } from '../data-plane/stdio-upstream.ts'

const calls = Number(process.env.CORRELATION_CALLS ?? (process.env.CI === undefined ? 4000 : 50_000))
const CLIENTS = 4
/** Of each client so many calls are under way at once, with as many progress tokens. */
const LANES = 20
/** One call in so many is answered only after its time limit. */
const STALLED = 4 * 127

/** Sends one call; the messages that come of it, the answer last. */
type Ask = (id: number, token: number, mark: string) => Promise<readonly string[]>

for (const era of ['legacy', 'modern'] as const) {
  for (const transport of ['stdio', 'http'] as const) {
    it(`${calls} calls with equal ids and tokens to a ${era} server over ${transport}: each gets its own progress and its own answer`, {
      timeout: 180_000,
    }, async () => {
      const options = { forgetful: true, ...(era === 'modern' && { modern: '{"tools":{}}' }) }
      const upstream = transport === 'stdio' ? await startStdioUpstream(options) : await startHttpUpstream(options)
      const counts = answerInDisorder(upstream, transport === 'http', era === 'modern' && transport === 'http')
      const server = upstream.server('up', { shared: true, protocol: 'auto', timeout: { startMs: 10_000, callMs: 1500, idleMs: 0 } })
      const gateway = await startTestGateway({ servers: [server], stdio: true })
      const clients = [await sessionClient(gateway), await sessionClient(gateway), await linesClient(gateway), visitor(gateway)]
      const seen = { wrong: [] as string[], answered: 0, timedOut: 0 }
      const run = async (ask: Ask, which: number, lane: number): Promise<void> => {
        for (let id = lane; id < calls / CLIENTS; id += LANES) {
          const mark = `${which}-${id}${id % (STALLED / CLIENTS) === which ? '-stalled' : ''}`
          const messages = await ask(id, lane, mark)
          const progress = messages.slice(0, -1).map(text => JSON.parse(text).params)
          const answer = JSON.parse(messages.at(-1)!)
          const isTimedOut = answer.error?.data?.mcpgw?.code === 'upstream-timeout'
          const isMine = progress.every(one => one.progressToken === lane && one.message === mark) && answer.id === id
          // On a busy machine the time may be over before the server has said anything.
          const isWhole = progress.length === 1 || (isTimedOut && progress.length === 0)
          const isRight = answer.result === undefined || (answer.result.mark === mark && !mark.endsWith('stalled'))
          if (!isMine || !isWhole || !isRight) seen.wrong.push(`${mark}: ${messages.join(' ')}`)
          if (isTimedOut) seen.timedOut++
          else seen.answered++
        }
      }
      await Promise.all(clients.flatMap((ask, which) => Array.from({ length: LANES }, (_, lane) => run(ask, which, lane))))
      const gate = gateway.gateway.board.gate('up')
      // A stream may be cut before the last words of those that were given up; a machine that is busy may give up more of them.
      const sure = transport === 'stdio' ? counts.late : counts.late - 2 * counts.stalled
      await until(() => gate.view.late >= sure)
      expect(seen.wrong).toEqual([])
      expect(seen.answered + seen.timedOut).toBe(calls)
      expect(seen.timedOut).toBeGreaterThanOrEqual(counts.stalled)
      await gateway.stop()
      await upstream.close()
    })
  }
}

/** Held back and answered in groups, in any order, each twice; `late` counts what the gateway must drop. */
function answerInDisorder(upstream: Script, inOwnStream: boolean, cutToCancel: boolean): { late: number; stalled: number } {
  const counts = { late: 0, stalled: 0 }
  const held: Received[] = []
  const stalled = new Map<number, Received>()
  let timer: NodeJS.Timeout | undefined
  const answerOf = ({ message }: Received): string =>
    `{"jsonrpc":"2.0","id":${message.id},"result":{"resultType":"complete","content":[],"mark":"${message.params.arguments.mark}"}}`
  const progressOf = ({ message }: Received): string =>
    `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${message.params._meta.progressToken},"progress":1,"message":"${message.params.arguments.mark}"}}`
  const drop = (one: Received, text: string): void => {
    one.say(text)
    counts.late++
  }
  const flush = (): void => {
    const group = held.splice(0)
    for (let i = group.length - 1; i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1))
      ;[group[i], group[j]] = [group[j]!, group[i]!]
    }
    drop(group[0]!, '{"jsonrpc":"2.0","id":999999999,"result":{}}')
    // Over HTTP each has a stream of its own: what is another's is not believed there.
    if (inOwnStream && group.length > 1) drop(group[0]!, answerOf(group[1]!))
    for (const one of group) {
      one.say(answerOf(one))
      drop(one, progressOf(one))
      counts.late++
      one.answer(answerOf(one))
    }
  }
  upstream.handlers.set('tools/call', received => {
    received.say(progressOf(received))
    if (received.message.params.arguments.mark.endsWith('-stalled')) {
      counts.stalled++
      if (!cutToCancel) stalled.set(received.message.id, received)
      return
    }
    held.push(received)
    clearTimeout(timer)
    if (held.length < 10) timer = setTimeout(flush, 5)
    else flush()
  })
  upstream.handlers.set('notifications/cancelled', ({ message }) => {
    const one = stalled.get(message.params.requestId)
    if (one === undefined) return
    drop(one, answerOf(one))
    counts.late++
    one.answer(answerOf(one))
  })
  return counts
}

async function sessionClient(gateway: TestGateway): Promise<Ask> {
  const client = await connectHttp(gateway)
  return async (id, token, mark) => (await client.post(callOf(id, token, mark))).messages
}

function visitor(gateway: TestGateway): Ask {
  const client = visitHttp(gateway)
  return async (id, token, mark) => {
    const params = { name: 'up__echo', arguments: { mark } }
    const stream = await client.start('tools/call', params, { id, meta: { progressToken: token } })
    return (await stream.done).messages
  }
}

async function linesClient(gateway: TestGateway): Promise<Ask> {
  const client = await connectStdio(gateway)
  const waiting = new Map<number, { token: number; got: string[]; done: (got: string[]) => void }>()
  client.heard = line => {
    const { id, params } = JSON.parse(line)
    const one = waiting.get(id) ?? [...waiting.values()].find(({ token }) => token === params?.progressToken)
    one?.got.push(line)
    if (id === undefined) return
    waiting.delete(id)
    one?.done(one.got)
  }
  return (id, token, mark) =>
    new Promise(done => {
      waiting.set(id, { token, got: [], done })
      client.write(callOf(id, token, mark))
    })
}

function callOf(id: number, token: number, mark: string): string {
  return call(id, 'up__echo', JSON.stringify({ mark }), `{"progressToken":${token}}`)
}
