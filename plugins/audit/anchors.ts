// Brings checkpoints out of the reach of whoever can change the log: each place gets the newest, again and again until it has it.
import type { Clock, Log, Metrics } from 'mcpgw/plugin'
import { type Place, placeOf } from './anchor-places.ts'
import type { AnchorConfig } from './anchor-settings.ts'

export interface Note {
  readonly text: string
  /** ms since 1970: when it was signed. */
  readonly at: number
}

export interface Anchors {
  offer(note: Note): void
  /** Waits for what is under way, `ms` at most; then nothing more is sent. */
  close(ms: number): Promise<void>
}

export interface AnchorOptions {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** ms that a checkpoint may wait before health says so. */
  readonly maxLag: number
  /** Name of this gateway, as others see it. */
  readonly host: string
  resolve(path: string): string
  onHealth(why: string | undefined): void
}

const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 60_000

export function createAnchors(configs: readonly AnchorConfig[], options: AnchorOptions): Anchors {
  const lag = options.metrics.gauge('anchor_lag_seconds', 'Age of the oldest checkpoint that a place outside of the log does not have', [
    'anchor',
  ])
  const late = new Map<string, string>()
  const told = (name: string, why: string | undefined): void => {
    if (why === undefined) late.delete(name)
    else late.set(name, why)
    options.onHealth(late.size === 0 ? undefined : [...late.values()].join('; '))
  }
  const posts = configs.map(config => {
    const place = placeOf(config, options)
    return createPost(
      place,
      options,
      ms => lag.set(ms / 1000, { anchor: place.name }),
      why => told(place.name, why),
    )
  })
  return {
    offer(note) {
      for (const post of posts) post.offer(note)
    },
    async close(ms) {
      await Promise.all(posts.map(post => post.close(ms)))
    },
  }
}

/** One place, one note at a time; of those that wait only the newest counts, for it covers what the others do. */
function createPost(
  place: Place,
  { clock, log, maxLag }: AnchorOptions,
  onLag: (ms: number) => void,
  onHealth: (why: string | undefined) => void,
): Anchors {
  const stopped = new AbortController()
  let waiting: Note | undefined
  /** When the oldest one that the place does not have was signed. */
  let since: number | undefined
  let busy: Promise<void> | undefined
  let delay = FIRST_RETRY_MS
  let wake: (() => void) | undefined

  async function run(): Promise<void> {
    while (waiting !== undefined && !stopped.signal.aborted) {
      const note = waiting
      try {
        await place.deliver(note.text, stopped.signal)
        delay = FIRST_RETRY_MS
        if (waiting === note) waiting = undefined
        since = waiting?.at
        tell(undefined)
      } catch (error) {
        tell((error as Error).message)
        await pause(delay)
        delay = Math.min(2 * delay, LAST_RETRY_MS)
      }
    }
    busy = undefined
  }

  function tell(failure: string | undefined): void {
    const age = since === undefined ? 0 : Math.max(0, clock.now() - since)
    onLag(age)
    if (failure !== undefined) log.warn('a checkpoint could not be anchored; it is tried again', { anchor: place.name, why: failure })
    onHealth(
      age > maxLag
        ? `no checkpoint of the last ${Math.round(age / 1000)} s is anchored in ${place.name}${failure === undefined ? '' : `: ${failure}`}`
        : undefined,
    )
  }

  function pause(ms: number): Promise<void> {
    return new Promise(resolve => {
      const cancel = clock.after(Math.min(ms, LAST_RETRY_MS), resolve)
      wake = () => {
        cancel()
        resolve()
      }
    })
  }

  return {
    offer(note) {
      waiting = note
      since ??= note.at
      busy ??= run()
    },
    async close(ms) {
      let cancel = (): void => {}
      const over = new Promise<void>(resolve => {
        cancel = clock.after(ms, resolve)
      })
      // What failed is tried once more at once.
      wake?.()
      await Promise.race([busy, over])
      cancel()
      stopped.abort()
      wake?.()
      if (waiting !== undefined) log.warn('the last checkpoint is not anchored', { anchor: place.name })
    },
  }
}
