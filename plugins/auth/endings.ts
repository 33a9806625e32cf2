// Ends what callers have open under keys that no longer hold, and puts on record what that was.
import { type AdminEvent, type PluginContext, Recording } from 'mcpgw/plugin'
import { createExpiries } from './expiries.ts'
import type { KeyRing, RingKey, TellChange } from './ring.ts'

type Why = 'revoked' | 'disabled' | 'expired' | 'removed' | 'unreadable'

export interface Endings {
  /** What is closed or gone after a change has ended. */
  readonly change: TellChange
  /** All keys were read anew. */
  replace(before: KeyRing | undefined, after: KeyRing): void
  /** Ends what is open under these. */
  end(keys: Iterable<RingKey>, why: Why): void
  /** Ends what is open under keys that have ended or expire at `now` (ms since 1970). To be called at least twice a second. */
  look(now: number): void
  /** Resolves when nothing is being recorded. */
  idle(): Promise<void>
}

// A request that was identified just before its key ended shows up a little later: looked for again for so many looks.
const looks = 20

export function createEndings(ctx: Pick<PluginContext, 'expel' | 'find' | 'log'>): Endings {
  const expiries = createExpiries()
  let latest = Number.POSITIVE_INFINITY
  const ending = new Map<string, { readonly key: RingKey; readonly why: Why; left: number }>()
  const waiting: AdminEvent[] = []
  let recording: Promise<void> | undefined

  const end = (key: RingKey, why: Why): void => void ending.set(key.id, { key, why, left: looks })

  function compare(before: RingKey | undefined, after: RingKey | undefined): void {
    if (before === undefined || before.closed !== undefined) return
    if (after === undefined || after.closed !== undefined) end(before, after?.closed ?? 'removed')
    // Its end was moved to where the clock has been already.
    else if (expiryOf(before) > latest && expiryOf(after) <= latest) end(after, 'expired')
  }

  function endAll(): void {
    const open = new Set<string>()
    // One walk over what is open, however many keys have ended.
    ctx.expel(({ via }) => {
      if (via.method === 'api-key' && via.keyId !== undefined && ending.has(via.keyId)) open.add(via.keyId)
      return false
    })
    for (const [id, one] of ending) {
      if (open.has(id)) {
        const ended = ctx.expel(({ via }) => via.method === 'api-key' && via.keyId === id)
        // What was ended at an earlier look may still be on its way out.
        if (ended.sessions + ended.requests > 0) waiting.push(describe(one.key, one.why, ended))
      }
      if (--one.left === 0) ending.delete(id)
    }
  }

  async function record(): Promise<void> {
    const recorder = ctx.find(Recording)
    while (recorder !== undefined && waiting.length > 0) {
      try {
        await recorder.event(waiting[0]!)
        waiting.shift()
      } catch (error) {
        ctx.log.warn('the end of what was open under a key cannot be recorded yet; it is tried again', { error: String(error) })
        return
      }
    }
  }

  return {
    change(before, after) {
      compare(before, after)
      if (before !== undefined) expiries.remove(before)
      if (after !== undefined) expiries.add(after)
    },
    replace(before, after) {
      for (const key of before?.keys() ?? []) compare(key, after.get(key.digest))
      expiries.replace(after.keys())
    },
    end(keys, why) {
      for (const key of keys) if (key.closed === undefined) end(key, why)
    },
    look(now) {
      // A clock that was set back lets a key hold again, which then ends again.
      for (const key of expiries.between(Math.min(now, latest), now)) end(key, 'expired')
      latest = now
      if (ending.size > 0) endAll()
      if (waiting.length > 0)
        recording ??= record().finally(() => {
          recording = undefined
        })
    },
    async idle() {
      await recording
    },
  }
}

const expiryOf = ({ expiresAt }: RingKey): number => expiresAt ?? Number.POSITIVE_INFINITY

function describe({ id, principal }: RingKey, why: Why, ended: { sessions: number; requests: number }): AdminEvent {
  const { id: who, tenant } = principal
  return {
    type: 'key.end',
    detail: { key: id, why, sessions: ended.sessions, requests: ended.requests },
    about: { tenant, id: who, detail: { principal: who, tenant } },
  }
}
