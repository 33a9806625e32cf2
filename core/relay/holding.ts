// What servers ask of a stateless client outside of any call: it waits for the client's next call to that server, and not for long.
import type { Session } from '../downstream/session.ts'
import { errorAnswer } from '../mcp/error-answer.ts'
import type { Answer, Clock } from '../plugin/index.ts'
import type { Ask } from '../upstream/calls.ts'
import type { Lane } from '../upstream/lane.ts'

export interface Held {
  readonly ask: Ask
  /** Hands on what comes of it; resolves with it. */
  give(answer: Promise<Answer>): Promise<void>
}

export interface Holding {
  hold(session: Session, lane: Lane, ask: Ask): Promise<Answer>
  take(session: Session, lane: Lane): readonly Held[]
}

const PATIENCE_MS = 5 * 60_000
const MAX_HELD = 100

export function createHolding(clock: Pick<Clock, 'after'>): Holding {
  const held = new WeakMap<Session, Map<Lane, Set<Held>>>()

  return {
    hold(session, lane, ask) {
      const byLane = held.get(session) ?? new Map<Lane, Set<Held>>()
      held.set(session, byLane)
      const own = byLane.get(lane) ?? new Set()
      byLane.set(lane, own)
      if (own.size >= MAX_HELD || ask.signal.aborted) return Promise.resolve(errorAnswer('rate-limited'))
      return new Promise(resolve => {
        const drop = () => {
          if (own.delete(one)) resolve(errorAnswer('client-gone'))
        }
        const stop = clock.after(PATIENCE_MS, drop)
        ask.signal.addEventListener('abort', drop)
        const one: Held = {
          ask,
          async give(answer) {
            own.delete(one)
            stop()
            ask.signal.removeEventListener('abort', drop)
            resolve(await answer)
          },
        }
        own.add(one)
      })
    },
    take: (session, lane) => [...(held.get(session)?.get(lane) ?? [])],
  }
}
