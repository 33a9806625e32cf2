// Keeps calls away from a server that fails them, and lets one through now and then to see whether it is well again.
import type { Clock } from '../plugin/index.ts'
import type { Backoff } from './child/backoff.ts'

/** `closed`: calls go through. `open`: none does. `half-open`: exactly one does, to see. */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** How a call ended, as far as the server's health goes; `neither` says nothing of it (cancelled, ended by us). */
export type CallEnd = 'good' | 'failed' | 'neither'

/** `Backoff`: how long it stays open; at least half of the bound, so that it is never hammered. */
export interface BreakerLimits extends Backoff {
  /** So many failures in a row open it. */
  readonly row: number
  /** So does this share of failures, of at least `calls` calls that ended within `windowMs`. */
  readonly share: number
  readonly calls: number
  readonly windowMs: number
}

export const breakerLimits: BreakerLimits = { row: 20, share: 0.5, calls: 20, windowMs: 10_000, baseMs: 1000, capMs: 30_000 }

export interface BreakerDeps {
  readonly clock: Clock
  readonly random?: () => number
  readonly limits?: Partial<BreakerLimits>
  onChange(from: BreakerState, to: BreakerState, why: string): void
}

export interface Breaker {
  readonly state: BreakerState
  /** Changes with the state. A call that began in an earlier period says nothing of this one. */
  readonly period: number
  /** Asks for one call: 0 where it may go through and will be reported, else the milliseconds to stay away. */
  knock(): number
  /** A call that began in `period` has ended. */
  ended(period: number, end: CallEnd): void
  /** Milliseconds until the next one may go through; 0 where one may now. */
  readonly retryAfterMs: number
}

const SLICES = 10

export function createBreaker({ clock, onChange, random = Math.random, ...given }: BreakerDeps): Breaker {
  const limits = { ...breakerLimits, ...given.limits }
  const sliceMs = limits.windowMs / SLICES
  // Invariant: a slice counts the calls that ended in its `at`-th piece of time; an older one counts for nothing.
  const slices = Array.from({ length: SLICES }, () => ({ at: Number.NEGATIVE_INFINITY, calls: 0, failures: 0 }))
  let state: BreakerState = 'closed'
  let period = 0
  let row = 0
  let openings = 0
  let notBefore = 0

  function change(to: BreakerState, why: string): void {
    const from = state
    state = to
    period++
    onChange(from, to, why)
  }

  function open(why: string): void {
    openings++
    const bound = Math.min(limits.capMs, limits.baseMs * 2 ** Math.min(openings - 1, 30))
    notBefore = clock.mono() + (bound / 2) * (1 + random())
    change('open', why)
  }

  function close(): void {
    openings = 0
    row = 0
    for (const slice of slices) slice.at = Number.NEGATIVE_INFINITY
    change('closed', 'a call was answered')
  }

  function count(failed: boolean): void {
    const at = Math.floor(clock.mono() / sliceMs)
    const slice = slices[at % SLICES]!
    if (slice.at !== at) {
      slice.at = at
      slice.calls = 0
      slice.failures = 0
    }
    slice.calls++
    if (!failed) {
      row = 0
      return
    }
    row++
    slice.failures++
    if (row >= limits.row) return open(`${row} calls in a row failed`)
    let calls = 0
    let failures = 0
    for (const one of slices) {
      if (one.at <= at - SLICES) continue
      calls += one.calls
      failures += one.failures
    }
    if (calls >= limits.calls && failures >= calls * limits.share) open(`${failures} of ${calls} calls failed`)
  }

  return {
    get state() {
      return state
    },
    get period() {
      return period
    },
    knock() {
      if (state === 'closed') return 0
      const wait = notBefore - clock.mono()
      if (wait > 0) return Math.ceil(state === 'open' ? wait : Math.min(wait, limits.baseMs))
      // A trial that takes longer than the longest pause holds nobody up: the next call is one as well, and the first to end decides.
      notBefore = clock.mono() + limits.capMs
      if (state === 'open') change('half-open', 'one call is tried')
      return 0
    },
    ended(began, end) {
      if (began !== period) return
      if (state === 'closed') {
        if (end !== 'neither') count(end === 'failed')
      } else if (end === 'good') close()
      else if (end === 'failed') open('the call that was tried failed')
      // Nothing was learnt: the next call is the trial.
      else notBefore = 0
    },
    get retryAfterMs() {
      return state === 'closed' ? 0 : Math.max(0, Math.ceil(notBefore - clock.mono()))
    },
  }
}
