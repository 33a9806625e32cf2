// The open sessions: found by id, bounded in number, ended when idle for long.
import { randomBytes } from 'node:crypto'
import type { Session } from '../downstream/session.ts'
import type { Clock } from '../plugin/index.ts'

const IDLE_MS = 30 * 60_000
const SWEEP_MS = 60_000

export interface SessionStore {
  readonly size: number
  /** 128 bit and more: a session id is hard to guess, and still never stands for an identity. */
  newId(): string
  add(session: Session): boolean
  find(id: string): Session | undefined
  all(): Iterable<Session>
  end(session: Session): Promise<void>
  /** Ends all, and the sweeping. */
  close(): Promise<void>
}

/** `max` sessions at once: one more is refused, after the longest idle ones were ended. */
export function createSessions(clock: Clock, onEnd: (session: Session) => Promise<void>, max = 20_000): SessionStore {
  const sessions = new Map<string, Session>()

  async function end(session: Session): Promise<void> {
    if (!sessions.delete(session.id)) return
    session.end()
    await onEnd(session)
  }
  function sweep(): void {
    const before = clock.mono() - IDLE_MS
    for (const session of sessions.values()) if (session.lastSeen < before && session.idle) void end(session)
    stop = clock.after(SWEEP_MS, sweep)
  }
  let stop = clock.after(SWEEP_MS, sweep)

  return {
    get size() {
      return sessions.size
    },
    newId: () => randomBytes(18).toString('base64url'),
    add(session) {
      if (sessions.size >= max) {
        // Insertion order is age: the oldest idle one goes.
        for (const old of sessions.values()) {
          if (!old.idle) continue
          void end(old)
          break
        }
        if (sessions.size >= max) return false
      }
      sessions.set(session.id, session)
      return true
    },
    find: id => sessions.get(id),
    all: () => sessions.values(),
    end,
    async close() {
      stop()
      await Promise.all([...sessions.values()].map(end))
    },
  }
}
