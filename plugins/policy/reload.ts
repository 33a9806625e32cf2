// Reload: a changed bundle takes the place of the one in force whole, or not at all.
import type { Clock } from 'mcpgw/plugin'
import { isRefused, type Refused } from './bundle.ts'
import type { Loaded, Loading } from './loading.ts'

export interface ReloadOptions {
  readonly clock: Clock
  readonly loading: Loading
  /** The last one that was given to `apply`. */
  inForce(): Loaded
  /** Everything that may fail comes before it takes effect. */
  apply(loaded: Loaded): Promise<void>
  refused(why: Refused): void
  /** What lies on disk is again what is in force. */
  settled(): void
}

export interface Reloading {
  start(stamp: string): void
  /** Looks now, whether or not something seems to have changed. */
  reload(): Promise<void>
  stop(): void
}

const LOOK_MS = 500
/** Whoever writes a file is given so long to finish it. */
const CALM_MS = 100

export function createReloading({ clock, loading, inForce, apply, refused, settled }: ReloadOptions): Reloading {
  let seen = ''
  let last: string | undefined
  let cancel = (): void => {}
  let stopped = false
  let running: Promise<void> = Promise.resolve()

  async function once(): Promise<void> {
    let loaded: Loaded | Refused
    try {
      // Before it is read: what changes meanwhile is seen afterwards.
      seen = await loading.stamp()
      loaded = await loading.load()
      if (stopped) return
      if (!isRefused(loaded) && isSame(loaded, inForce())) {
        settled()
        return
      }
      if (!isRefused(loaded)) return await apply(loaded)
    } catch (error) {
      loaded = { findings: [error instanceof Error ? error.message : String(error)], digest: '' }
    }
    refused(loaded)
  }

  function reload(): Promise<void> {
    running = running.then(once)
    return running
  }

  async function look(): Promise<void> {
    const now = await loading.stamp().catch(error => String(error))
    if (now === seen) last = undefined
    // Twice the same: nobody is writing any more.
    else if (now === last) {
      last = undefined
      await reload()
    } else last = now
    if (!stopped) cancel = clock.after(last === undefined ? LOOK_MS : CALM_MS, () => void look())
  }

  return {
    start(stamp) {
      seen = stamp
      cancel = clock.after(LOOK_MS, () => void look())
    },
    reload,
    stop() {
      stopped = true
      cancel()
    },
  }
}

function isSame(one: Loaded, other: Loaded): boolean {
  return one.bundle.digest === other.bundle.digest && one.catalogDigest === other.catalogDigest
}
