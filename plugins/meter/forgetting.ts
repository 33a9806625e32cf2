// Old windows are forgotten, once whoever bills them has them: until then they are kept, and health says for whom.
import type { Clock, Log, Usage } from 'mcpgw/plugin'
import { type ChangesCursor, NOTHING, readCursor } from './store/changes.ts'
import type { UsageStore } from './store/usage-store.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const AGAIN_MS = 300_000

export interface ForgettingOptions {
  readonly store: Pick<UsageStore, 'forget'>
  /** Days; absent: for ever. */
  readonly keep: number | undefined
  readonly clock: Clock
  readonly log: Log
  /** `undefined`: nothing is held back. */
  readonly onHeld: (why: string | undefined) => void
}

export interface Forgetting {
  readonly hold: Usage['hold']
  /** Once an hour, from now on; where something is held back, again in five minutes. */
  start(): void
  stop(): void
}

export function createForgetting({ store, keep, clock, log, onHeld }: ForgettingOptions): Forgetting {
  const consumers = new Map<string, ChangesCursor>()
  let cancel: (() => void) | undefined
  let isStopped = false
  let wasHeld = false

  async function forget(kept: number): Promise<void> {
    let wait = HOUR_MS
    try {
      const held = await store.forget(clock.now() - kept * DAY_MS, consumers)
      // What was counted a moment ago is not held back for long.
      if (held.size > 0) wait = AGAIN_MS
      const names = [...held].map(([name, rows]) => `${name} has not taken ${rows} rows of it`)
      onHeld(wasHeld && held.size > 0 ? `usage older than ${kept} days is kept, for ${names.join(', and ')}` : undefined)
      wasHeld = held.size > 0
    } catch (error) {
      log.warn('old usage could not be removed', { why: String(error) })
    }
    if (!isStopped) cancel = clock.after(wait, () => void forget(kept))
  }

  return {
    hold(consumer, longest) {
      if (keep !== undefined && keep * DAY_MS <= longest)
        throw new Error(
          `keep of meter: expected more than ${Math.ceil(longest / DAY_MS)} days, for ${consumer} may take usage so late; found ${keep}`,
        )
      consumers.set(consumer, NOTHING)
      return cursor => {
        consumers.set(consumer, readCursor(cursor))
      }
    },
    start() {
      if (keep !== undefined) void forget(keep)
    },
    stop() {
      isStopped = true
      cancel?.()
    },
  }
}
