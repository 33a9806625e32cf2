// The open sessions: found by id (those of stateless clients by what they are of), bounded in number, ended when idle for long.
import { randomBytes } from 'node:crypto'
import type { Session } from '../downstream/session.ts'
import type { Clock } from '../plugin/index.ts'

const IDLE_MS = 30 * 60_000
const SWEEP_MS = 60_000
/** Of stateless clients of one owner: whoever calls himself otherwise with each request ends his own, and nobody else's. */
const MAX_POOLED_OF_ONE = 50
/** What a client says of itself is kept as long as its session, of which there may be thousands. */
export const MAX_CLIENT_BYTES: number = 64 * 1024

export interface SessionStore {
  readonly size: number
  /** 128 bit and more: a session id is hard to guess, and still never stands for an identity. */
  newId(): string
  /** `key`: of a stateless client, what its requests have in common. */
  add(session: Session, key?: string): boolean
  /** Invariant: what is kept of stateless clients is found by no id that a client could send. */
  find(id: string): Session | undefined
  pooled(key: string): Session | undefined
  /** What its requests have in common is now this; where there is one of that already, it is found no longer, and ends when it is idle. */
  rename(session: Session, change: (key: string) => string): void
  all(): Iterable<Session>
  end(session: Session): Promise<void>
  /** Ends all, and the sweeping. */
  close(): Promise<void>
}

/** `max` sessions at once: one more is refused, after the longest idle ones were ended. */
export function createSessions(clock: Clock, onEnd: (session: Session) => Promise<void>, max = 20_000): SessionStore {
  const sessions = new Map<string, Session>()
  const byKey = new Map<string, Session>()
  const keys = new WeakMap<Session, string>()
  const pooledOf = new Map<string, Set<Session>>()

  async function end(session: Session): Promise<void> {
    if (!sessions.delete(session.id)) return
    const key = keys.get(session)
    if (key !== undefined && byKey.get(key) === session) byKey.delete(key)
    const own = pooledOf.get(session.owner)
    if (own?.delete(session) === true && own.size === 0) pooledOf.delete(session.owner)
    session.end()
    await onEnd(session)
  }
  /** False where all of them are in use. The first idle one goes; insertion order is age. */
  function makeRoom(among: Iterable<Session>): boolean {
    for (const old of among) {
      if (!old.idle) continue
      void end(old)
      return true
    }
    return false
  }
  function pool(session: Session, key: string): boolean {
    const own = pooledOf.get(session.owner) ?? new Set()
    if (own.size >= MAX_POOLED_OF_ONE && !makeRoom([...own].toSorted((a, b) => a.lastSeen - b.lastSeen))) return false
    pooledOf.set(session.owner, own.add(session))
    byKey.set(key, session)
    keys.set(session, key)
    return true
  }
  function sweep(): void {
    const before = clock.mono() - IDLE_MS
    for (const session of sessions.values()) {
      session.sweep()
      if (session.lastSeen < before && session.idle) void end(session)
    }
    stop = clock.after(SWEEP_MS, sweep)
  }
  let stop = clock.after(SWEEP_MS, sweep)

  return {
    get size() {
      return sessions.size
    },
    newId: () => randomBytes(18).toString('base64url'),
    add(session, key) {
      if (sessions.size >= max && !makeRoom(sessions.values())) return false
      if (key !== undefined && !pool(session, key)) return false
      sessions.set(session.id, session)
      return true
    },
    find(id) {
      const session = sessions.get(id)
      return session?.era === 'legacy' ? session : undefined
    },
    pooled: key => byKey.get(key),
    rename(session, change) {
      const key = keys.get(session)
      if (key === undefined) return
      const next = change(key)
      if (byKey.get(key) === session) byKey.delete(key)
      keys.set(session, next)
      if (!byKey.has(next)) byKey.set(next, session)
    },
    all: () => sessions.values(),
    end,
    async close() {
      stop()
      await Promise.all([...sessions.values()].map(end))
    },
  }
}
