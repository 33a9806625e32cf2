// Whether what users have given is there still: looked at more than once a second, so that what somebody takes back is used no longer, on any gateway.
import type { Health } from '../health.ts'
import { startLookout } from '../lookout.ts'
import type { Clock, Log } from '../plugin/index.ts'
import type { Revision } from './shelf.ts'
import type { UserTokens } from './user-tokens.ts'
import { SILENT_MS } from './users.ts'

export interface TokenWatch {
  /** True while nobody can tell. */
  readonly isAway: boolean
  stop(): void
}

export interface TokenWatchOptions {
  readonly tokens: Pick<UserTokens, 'revision'>
  readonly clock: Clock
  readonly log: Log
  readonly health?: Pick<Health, 'component'> | undefined
  /** Some were taken back. */
  doubt(): void
  /** Some were given. Rejects where nobody can tell which: asked again. */
  given(): Promise<void>
  back(): void
}

const LOOK_MS = 400

export function watchTokens({ tokens, clock, log, health, doubt, given, back }: TokenWatchOptions): TokenWatch {
  const component = health?.component('credentials')
  let seen: Revision | undefined
  let isAway = false

  function gone(error: unknown): void {
    const why = `tokens of users cannot be read: ${error instanceof Error ? error.message : String(error)}`
    component?.set({ status: 'degraded', why })
    if (!isAway) log.warn('what users have given for servers cannot be read; it is not used meanwhile', { error: String(error) })
    isAway = true
  }

  async function ask(): Promise<Revision> {
    const revision = await tokens.revision()
    if (seen?.given !== revision.given) await given()
    return revision
  }

  function there(revision: Revision): void {
    if (seen !== undefined && seen.taken !== revision.taken) doubt()
    seen = revision
    if (!isAway) return
    isAway = false
    component?.set(undefined)
    log.info('what users have given for servers can be read again')
    back()
  }

  const lookout = startLookout({ clock, everyMs: LOOK_MS, silentMs: SILENT_MS, ask, there, gone })

  return {
    get isAway() {
      return isAway
    },
    stop: () => lookout.stop(),
  }
}
