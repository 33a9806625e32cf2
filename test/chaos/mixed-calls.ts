// Callers of both eras that go on whatever happens to the gateways, as behind a balancer: every call has a name, and what became of each is kept.
import { setTimeout as sleep } from 'node:timers/promises'
import { envelope, MODERN } from '../core/data-plane/stateless-client.ts'
import { codeOf, openSession, post } from '../e2e/rpc.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Any = any

/** What is called, how, and what its answer must be. `undefined` of `tool`: a list. */
interface Kind {
  readonly tool?: string
  readonly args?: object
  readonly isRight: (result: Any, name: string) => boolean
}
const said = (result: Any): string => String(result?.content?.[0]?.text)
const isEcho = (result: Any, name: string): boolean => said(result).includes(`"${name}"`)
const CARD = '4111 1111 1111 1111'

/** Of a gateway with the servers `odd` and `twin`, `redact`, and a policy that lets nobody call `odd/arguments`. */
export const KINDS = {
  plain: { tool: 'odd__echo', isRight: isEcho },
  masked: { tool: 'odd__echo', args: { card: CARD }, isRight: (result, name) => isEcho(result, name) && !said(result).includes(CARD) },
  twin: { tool: 'twin__echo', isRight: isEcho },
  slow: { tool: 'odd__slow', args: { ms: 20 }, isRight: isEcho },
  limited: { tool: 'twin__slow', args: { ms: 1 }, isRight: isEcho },
  denied: { tool: 'odd__arguments', isRight: () => false },
  list: { isRight: result => result?.tools?.some((tool: { name: string }) => tool.name === 'odd__echo') === true },
} as const satisfies Readonly<Record<string, Kind>>
export type KindName = keyof typeof KINDS

export interface MixedOptions {
  /** Asked before each call, so that gateways may come and go. */
  readonly origins: () => readonly string[]
  /** Calls are named `PREFIX-1`, `PREFIX-2`, ... */
  readonly prefix: string
  readonly headers?: readonly string[]
  /** In turn; one that stands twice is called twice as often. */
  readonly kinds: readonly KindName[]
  readonly perSecond: number
  readonly callers?: number
  /** A session ends after so many calls, and the next one begins. */
  readonly sessionCalls?: number
  /** So often a call that was cut off or came too late for a gateway is made again, at the next one. Default: 0. */
  readonly retries?: number
}

export interface MixedCalls {
  /** By the names of the calls of tools whose whole right answer arrived. */
  readonly answered: ReadonlyMap<string, KindName>
  /** `KIND CODE` -> how many; `cut`: no whole answer; `wrong`: not the one to this call. Those that a retry made good are not in here. */
  readonly failed: ReadonlyMap<string, number>
  readonly lists: () => number
  readonly retried: () => number
  readonly sent: () => number
  /** Resolves when so many calls of tools were answered since now. */
  answers(count: number): Promise<void>
  end(): Promise<void>
}

interface Session {
  readonly origin: string
  readonly id: string
  ask(method: string, params?: object): Promise<Any>
  left: number
}

/** What a gateway that ends says to whom it lets in no more; whoever stands behind a balancer goes to another one. */
const ELSEWHERE: ReadonlySet<string> = new Set(['cut', 'stopping', 'session-unknown'])

export function startMixed(options: MixedOptions): MixedCalls {
  const { origins, prefix, headers = [], kinds, perSecond, callers = 8, sessionCalls = 200, retries = 0 } = options
  const answered = new Map<string, KindName>()
  const failed = new Map<string, number>()
  const waiting = new Set<() => void>()
  let [sent, lists, retried, isEnded] = [0, 0, 0, false]

  async function callOnce(caller: Caller, kind: KindName, name: string, origin: string): Promise<string | undefined> {
    const { tool, args, isRight }: Kind = KINDS[kind]
    const params = tool === undefined ? {} : { name: tool, arguments: { ...args, name } }
    const message = await caller.ask(origin, tool === undefined ? 'tools/list' : 'tools/call', params).catch(() => 'cut')
    if (typeof message === 'string') return message
    return codeOf(message) ?? (isRight(message.result, name) ? undefined : 'wrong')
  }

  async function runCaller(number: number): Promise<void> {
    const caller = number % 2 === 0 ? sessionCaller(headers, sessionCalls) : statelessCaller(headers)
    const pause = (1000 * callers) / perSecond
    await sleep((number / callers) * pause)
    for (let due = performance.now(); !isEnded; due = Math.max(due + pause, performance.now())) {
      const at = ++sent
      const kind = kinds[at % kinds.length]!
      let name = `${prefix}-${at}`
      const all = origins()
      let code = await callOnce(caller, kind, name, all[at % all.length]!)
      for (let again = 1; again <= retries && code !== undefined && ELSEWHERE.has(code); again++, retried++) {
        const now = origins()
        name = `${prefix}-${at}~${again}`
        code = await callOnce(caller, kind, name, now[(at + again) % now.length]!)
      }
      if (code !== undefined) failed.set(`${kind} ${code}`, (failed.get(`${kind} ${code}`) ?? 0) + 1)
      else if (kind === 'list') lists++
      else answered.set(name, kind)
      for (const look of Array.from(waiting)) look()
      await sleep(Math.max(1, due + pause - performance.now()))
    }
    await caller.end()
  }

  const running = Array.from({ length: callers }, (_, number) => runCaller(number))
  return {
    answered,
    failed,
    lists: () => lists,
    retried: () => retried,
    sent: () => sent,
    answers(count) {
      const goal = answered.size + count
      return new Promise(resolve => {
        const look = (): void => {
          if (answered.size < goal) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      })
    },
    async end() {
      isEnded = true
      await Promise.all(running)
    },
  }
}

interface Caller {
  /** The answering message, or why there is none. Rejects where the connection breaks. */
  ask(origin: string, method: string, params: object): Promise<Any>
  end(): Promise<void>
}

/** One session with each gateway, 2025-11-25. */
function sessionCaller(headers: readonly string[], calls: number): Caller {
  const sessions = new Map<string, Session>()
  const close = async ({ origin, id }: Session): Promise<void> => {
    sessions.delete(origin)
    await post(origin, '', { method: 'DELETE', headers: [...headers, 'mcp-session-id', id] }).catch(() => {})
  }
  return {
    async ask(origin, method, params) {
      const known = sessions.get(origin)
      if (known !== undefined && known.left <= 0) await close(known)
      const session = sessions.get(origin) ?? { origin, left: calls, ...(await openSession(origin, headers)) }
      sessions.set(origin, session)
      session.left -= 1
      const message = await session.ask(method, params).catch((error: unknown) => {
        sessions.delete(origin)
        throw error
      })
      if (codeOf(message) === 'session-unknown') sessions.delete(origin)
      return message ?? 'empty'
    },
    async end() {
      for (const session of Array.from(sessions.values())) await close(session)
    },
  }
}

/** No session at all, 2026-07-28. */
function statelessCaller(headers: readonly string[]): Caller {
  let id = 0
  return {
    async ask(origin, method, params) {
      const body = JSON.stringify({ jsonrpc: '2.0', id: ++id, method, params: { ...params, _meta: envelope('{}') } })
      const { name } = params as { name?: string }
      const mirrored = ['mcp-protocol-version', MODERN, 'mcp-method', method, ...(name === undefined ? [] : ['mcp-name', name])]
      const { status, messages } = await post(origin, body, { headers: [...headers, ...mirrored] })
      return messages.at(-1) ?? `http-${status}`
    },
    end: async () => {},
  }
}
