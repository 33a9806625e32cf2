// When each key was last used: noted in memory as calls come in, and written now and then, so that no call waits for it or fails by it.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock, Log } from 'mcpgw/plugin'
import { PAGE } from './changes.ts'
import type { AnyKeyStore } from './shared-store.ts'

export interface LastUse {
  /** `at`: ms since 1970. */
  note(keyId: string, at: number): void
  /** Writes what was noted, where a minute has gone by. */
  look(): void
  /** Writes what is left; never rejects. */
  close(): Promise<void>
}

/** As each writes all that was noted, no key is written more often. */
const EVERY_MS = 60_000

export function createLastUse(store: Pick<AnyKeyStore, 'noteUses'>, log: Log, clock: Clock): LastUse {
  let used = new Map<string, number>()
  let writtenAt = clock.mono()
  let isFailing = false
  let writing: Promise<void> | undefined

  async function writeAll(): Promise<void> {
    writtenAt = clock.mono()
    const taken = [...used]
    used = new Map()
    try {
      for (let at = 0; at < taken.length; at += PAGE) {
        if (at > 0) await nextTurn()
        await store.noteUses(taken.slice(at, at + PAGE))
      }
      isFailing = false
    } catch (error) {
      for (const [id, at] of taken) if (!used.has(id)) used.set(id, at)
      if (!isFailing) log.warn('when keys were last used cannot be written yet; it is tried again', { error: String(error) })
      isFailing = true
    }
  }

  function write(): Promise<void> {
    writing ??= writeAll().finally(() => {
      writing = undefined
    })
    return writing
  }

  return {
    note: (keyId, at) => void used.set(keyId, at),
    look() {
      if (used.size > 0 && clock.mono() - writtenAt >= EVERY_MS) void write()
    },
    async close() {
      await writing
      if (used.size > 0) await write()
    },
  }
}
