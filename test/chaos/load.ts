// Keeps a gateway busy at a steady rate, and keeps account of which calls were answered.
import { codeOf, openSession } from '../e2e/rpc.ts'
import { textOf } from './processes.ts'

export interface Load {
  /** Names of the calls whose whole answer arrived. */
  readonly answered: Set<string>
  /** Codes of what was refused, and of connections that broke: `cut`. */
  readonly failed: Map<string, number>
  readonly sent: () => number
  /** Resolves when so many calls were answered since now; rejects when the load ends before. */
  answers(count: number): Promise<void>
  /** Sends no more; resolves when nothing is under way. */
  end(): Promise<void>
}

export interface LoadOptions {
  readonly tool: string
  /** Calls are named `PREFIX-1`, `PREFIX-2`, ... */
  readonly prefix: string
  readonly perSecond: number
  readonly headers?: readonly string[]
  /** Further arguments of each call. */
  readonly args?: object
  /** So many are under way at most: a machine that is busy with other things is not buried. Default: no bound. */
  readonly atOnce?: number
}

const TICK_MS = 10
const SESSIONS = 4

/** An open loop: calls leave at their rate, whether or not earlier ones were answered. */
export async function startLoad(
  origin: string,
  { tool, prefix, perSecond, headers = [], args = {}, atOnce = Number.POSITIVE_INFINITY }: LoadOptions,
): Promise<Load> {
  const sessions = await Promise.all(Array.from({ length: SESSIONS }, () => openSession(origin, headers)))
  const answered = new Set<string>()
  const failed = new Map<string, number>()
  const waiting = new Set<() => void>()
  const underway = new Set<Promise<void>>()
  let sent = 0
  let ended = false

  async function callOnce(name: string, session: number): Promise<void> {
    const reply = await sessions[session]?.call(tool, { ...args, name }).catch(() => undefined)
    const code = reply === undefined ? 'cut' : codeOf(reply)
    if (code === undefined) {
      if ((textOf(reply) as { name: string }).name !== name) throw new Error(`${name} got the answer of another call`)
      answered.add(name)
    } else failed.set(code, (failed.get(code) ?? 0) + 1)
    for (const look of Array.from(waiting)) look()
  }

  const began = performance.now()
  const timer = setInterval(() => {
    const due = ((performance.now() - began) / 1000) * perSecond
    while (sent < due && underway.size < atOnce) {
      const call = callOnce(`${prefix}-${++sent}`, sent % SESSIONS)
      underway.add(call)
      void call.finally(() => underway.delete(call))
    }
  }, TICK_MS)

  return {
    answered,
    failed,
    sent: () => sent,
    answers(count) {
      const goal = answered.size + count
      return new Promise((resolve, reject) => {
        const look = (): void => {
          if (answered.size < goal && !ended) return
          waiting.delete(look)
          if (answered.size >= goal) resolve()
          else reject(new Error(`only ${answered.size} of ${goal} answers: ${JSON.stringify([...failed])}`))
        }
        waiting.add(look)
        look()
      })
    },
    async end() {
      ended = true
      clearInterval(timer)
      for (const look of Array.from(waiting)) look()
      await Promise.all(underway)
    },
  }
}
