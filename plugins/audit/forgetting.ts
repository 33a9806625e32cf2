// Notices which keys are about to be deleted, so that whoever is erased while the gateway runs is somebody new to it.
import type { Clock } from 'mcpgw/plugin'
import type { LogReader, LogStore } from './store/log-store.ts'
import { LEASE_MS, momentOf, type Subjects } from './subjects.ts'

const LOOK_MS = LEASE_MS / 3

/** Looks until the function returned is called. While the store cannot be asked, leases run out: then nobody keeps a key. */
export function watchRetired(store: LogStore, subjects: Subjects, clock: Clock): () => Promise<void> {
  let reader: LogReader | undefined
  let cancel = clock.after(LOOK_MS, begin)
  let looking = Promise.resolve()
  let stopped = false

  function begin(): void {
    looking = look()
  }

  async function look(): Promise<void> {
    const asked = momentOf(clock)
    try {
      reader ??= await store.reader()
      subjects.confirm(await reader.retired(), asked)
    } catch {
      // That the log does not work is told where it is written.
      await reader?.close().catch(() => undefined)
      reader = undefined
    }
    if (!stopped) cancel = clock.after(LOOK_MS, begin)
  }

  return async () => {
    stopped = true
    cancel()
    await looking
    await reader?.close()
  }
}
