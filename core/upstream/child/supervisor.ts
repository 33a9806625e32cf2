// Decides when processes of one configured server may start, and knows how that server is. Shared by all lanes to the server.
import { whichOf } from '../../config/places.ts'
import type { AdminEvent, Clock, Log } from '../../plugin/index.ts'
import { type Backoff, backoffDelay } from './backoff.ts'
import type { Isolation } from './cell.ts'

export interface RestartLimits extends Backoff {
  /** After this many failures within `windowMs` the server is failed; then one start is tried every `windowMs`. */
  readonly budget: number
  readonly windowMs: number
  /** A process that has been ready this long ends the row of failures, ms. */
  readonly stableMs: number
  /** So many processes run at once: clients that may be asked have one each, and anyone can say that he is such a client. */
  readonly processes: number
}

export const restartLimits: RestartLimits = { baseMs: 250, capMs: 30_000, budget: 10, windowMs: 60_000, stableMs: 10_000, processes: 100 }

export interface SupervisorDeps {
  /** The configured id of the server. */
  readonly server: string
  readonly version?: string | undefined
  /** Of several instances. */
  readonly instance?: number | undefined
  readonly clock: Clock
  readonly log: Log
  /** For the record: `server.start`, `server.restart`, `server.exit`, `server.failed`. */
  readonly onEvent?: (event: AdminEvent) => void
  readonly onHealth?: (health: ServerHealth) => void
  readonly random?: () => number
  readonly limits?: Partial<RestartLimits>
}

export interface Supervisor {
  /** Asks whether a process may start now. Whoever is admitted must report how it went. */
  admitStart(): Start | Refused
  readonly health: ServerHealth
  /** Forgets all failures: an operator says that the cause is mended. */
  forgive(): void
}

export interface Refused {
  readonly kind: 'refused'
  readonly retryAfterMs: number
  /** Nothing has failed, there is just no room: whoever needs it asks again. */
  readonly full?: boolean
  readonly why: string
}

/** One start and what becomes of it. Each step at most once, `ended` always. */
export interface Start {
  readonly kind: 'admitted'
  spawned(pid: number, isolation?: Isolation): void
  /** It has answered as a server. */
  ready(): void
  /** `failed` is false where we ended it ourselves. */
  ended(end: StartEnd): void
}

export interface StartEnd {
  readonly failed: boolean
  readonly detail: string
  readonly code?: number | null
  readonly signal?: string | null
}

export type ServerState = 'stopped' | 'starting' | 'ready' | 'backoff' | 'failed'

/** No text of the server's own is in here. */
export interface ServerHealth {
  readonly server: string
  /** Where its config names one. */
  readonly version?: string
  /** Of several instances, from 1. */
  readonly instance?: number
  readonly state: ServerState
  /** Wall clock, ms since 1970. */
  readonly since: number
  readonly pids: readonly number[]
  /** What holds its processes together, as far as one was started. */
  readonly isolation?: Isolation
  /** The revision that it spoke last. */
  readonly protocol?: string
  /** Starts after a failure, since the gateway started. */
  readonly restarts: number
  readonly lastExit?: { readonly code: number | null; readonly signal: string | null; readonly at: number }
  readonly lastFailure?: string
  /** Before this no start is admitted, ms; absent where one is. */
  readonly retryAfterMs?: number
}

type Process = { pid: number | undefined; ready: boolean; settle: () => void }

// While a server that failed is tried again, others ask again after this, ms.
const trialMs = 250

export function createSupervisor(deps: SupervisorDeps): Supervisor {
  const { clock, server } = deps
  const about = { server, ...whichOf(deps) }
  const limits = { ...restartLimits, ...deps.limits }
  const random = deps.random ?? Math.random
  const processes = new Set<Process>()
  // Invariant: `failedAt` holds the monotonic times of failures within the window, oldest first.
  let failedAt: number[] = []
  let failuresInRow = 0
  let notBefore = 0
  let givenUp = false
  let brokenDown = false
  let restarts = 0
  let state: ServerState = 'stopped'
  let since = clock.now()
  let lastExit: ServerHealth['lastExit']
  let lastFailure: string | undefined
  let isolation: Isolation | undefined

  function admitStart(): Start | Refused {
    if (processes.size >= limits.processes)
      return { kind: 'refused', retryAfterMs: trialMs, full: true, why: `${processes.size} processes of it run already` }
    const wait = notBefore - clock.mono()
    if (failuresInRow > 0 && wait > 0) return { kind: 'refused', retryAfterMs: Math.ceil(wait), why: `${state} after ${lastFailure}` }
    // One trial at a time after a failure: many callers must not become many starts of a broken server.
    const trial = failuresInRow > 0 && [...processes].some(one => !one.ready)
    if (trial) return { kind: 'refused', retryAfterMs: trialMs, why: 'being started again' }
    if (failuresInRow > 0) restarts++
    return begin(failuresInRow > 0 ? 'server.restart' : 'server.start')
  }

  function begin(type: 'server.start' | 'server.restart'): Start {
    const process: Process = { pid: undefined, ready: false, settle: () => {} }
    processes.add(process)
    review()
    return {
      kind: 'admitted',
      spawned(pid, found) {
        process.pid = pid
        isolation = found
        tell(type, { pid, ...(found && { isolation: found }) })
        review()
      },
      ready() {
        if (!processes.has(process)) return
        process.ready = true
        givenUp = false
        process.settle = clock.after(limits.stableMs, forgive)
        review()
      },
      ended(end) {
        if (!processes.delete(process)) return
        process.settle()
        brokenDown = end.failed
        if (end.failed) noteFailure(end.detail)
        if (process.pid !== undefined) {
          const exit = { code: end.code ?? null, signal: end.signal ?? null }
          lastExit = { ...exit, at: clock.now() }
          tell('server.exit', { pid: process.pid, ...exit, expected: !end.failed, detail: end.detail }, !end.failed)
        }
        review()
      },
    }
  }

  function noteFailure(detail: string): void {
    const now = clock.mono()
    failuresInRow++
    lastFailure = detail
    failedAt = [...failedAt.filter(at => at > now - limits.windowMs), now].slice(-limits.budget)
    if (givenUp || failedAt.length >= limits.budget) {
      // Half open: after the window has passed one start is tried, and the next only a whole window later.
      if (!givenUp) tell('server.failed', { failures: failuresInRow, detail }, false)
      givenUp = true
      notBefore = now + limits.windowMs
    } else {
      notBefore = now + backoffDelay(failuresInRow, limits, random)
    }
    deps.log.warn('server failed', { ...about, detail, failures: failuresInRow, retryInMs: Math.round(notBefore - now) })
  }

  function forgive(): void {
    failuresInRow = 0
    failedAt = []
    givenUp = false
    brokenDown = false
    notBefore = 0
    review()
  }

  function tell(type: string, detail: AdminEvent['detail'], success = true): void {
    deps.onEvent?.({ type, ...(!success && { success }), detail: { ...about, ...detail } })
  }

  function review(): void {
    const now = stateNow()
    if (now === state) return
    state = now
    since = clock.now()
    deps.onHealth?.(health())
  }

  function stateNow(): ServerState {
    if ([...processes].some(one => one.ready)) return 'ready'
    if (processes.size > 0) return 'starting'
    if (givenUp) return 'failed'
    return brokenDown ? 'backoff' : 'stopped'
  }

  function health(): ServerHealth {
    const wait = failuresInRow > 0 ? Math.ceil(notBefore - clock.mono()) : 0
    return {
      ...about,
      state,
      since,
      pids: [...processes].flatMap(one => one.pid ?? []),
      restarts,
      ...(isolation && { isolation }),
      ...(lastExit && { lastExit }),
      ...(lastFailure !== undefined && { lastFailure }),
      ...(wait > 0 && { retryAfterMs: wait }),
    }
  }

  return {
    admitStart,
    forgive,
    get health() {
      return health()
    },
  }
}
