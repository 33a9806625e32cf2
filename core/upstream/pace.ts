// How fast the calls at one instance end, compared with its peers: by medians, so that a few calls that wait for a person count for nothing.
import type { ErrorCode } from '../errors.ts'
import type { Answer, Clock } from '../plugin/index.ts'

/** `failed`, `neither`: how long it took says nothing. */
export type EndOfVisit = 'good' | 'timeout' | 'failed' | 'neither'

/** One call at one instance. */
export interface Visit {
  readonly at: number
  readonly isTrial: boolean
}

export interface Pace {
  begin(isTrial: boolean): Visit
  end(visit: Visit, end: EndOfVisit): void
  /** Milliseconds; undefined where too few calls have ended. */
  readonly median: number | undefined
  /** So many of the last calls timed out. */
  readonly timeouts: number
  /** Why it is much slower than these; undefined where it is not, or nobody knows. */
  compare(peers: readonly Pace[]): string | undefined
  /** So much is long for one call, by what these take. */
  isLong(ms: number, peers: readonly Pace[]): boolean
  forget(): void
}

/** So many of the last calls are remembered, and so few tell nothing. */
const SAMPLES = 32
const FEW = 8
/** Much slower: so many times the median of the others, and so much more. */
const TIMES = 4
const MORE_MS = 200
/** It hangs: so many calls wait for longer than that, at least for a second, and none has ended meanwhile. */
const WAITING = 5
const HANGS_MS = 1000

export function createPace(clock: Pick<Clock, 'mono'>): Pace {
  let samples: number[] = []
  let at = 0
  let timeouts = 0
  let lastEnd = Number.NEGATIVE_INFINITY
  const pending = new Set<Visit>()

  function median(): number | undefined {
    return samples.length < FEW ? undefined : middleOf(samples)
  }

  function limitBy(peers: readonly Pace[]): number | undefined {
    const known = peers.map(peer => peer.median).filter(one => one !== undefined)
    if (known.length === 0) return undefined
    const others = middleOf(known)
    return Math.max(others * TIMES, others + MORE_MS)
  }

  return {
    begin(isTrial) {
      const visit: Visit = { at: clock.mono(), isTrial }
      pending.add(visit)
      return visit
    },
    end(visit, end) {
      pending.delete(visit)
      if (end === 'neither' || end === 'failed') return
      lastEnd = clock.mono()
      timeouts = end === 'timeout' ? timeouts + 1 : 0
      samples[at++ % SAMPLES] = lastEnd - visit.at
    },
    get median() {
      return median()
    },
    get timeouts() {
      return timeouts
    },
    compare(peers) {
      const limit = limitBy(peers)
      if (limit === undefined) return undefined
      const own = median()
      if (own !== undefined && own > limit) return `its calls take ${Math.round(own)} ms, much longer than those of the others`
      const since = clock.mono() - Math.max(limit, HANGS_MS)
      const waiting = lastEnd > since ? 0 : [...pending].filter(visit => visit.at < since).length
      return waiting >= WAITING ? `${waiting} calls wait there, and none has ended for long` : undefined
    },
    isLong(ms, peers) {
      const limit = limitBy(peers)
      return limit !== undefined && ms > limit
    },
    forget() {
      samples = []
      at = 0
      timeouts = 0
    },
  }
}

function middleOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1]!
}

const FAILURES: ReadonlySet<string> = new Set<ErrorCode>(['upstream-crashed', 'upstream-unavailable', 'upstream-garbage'])

export function endOfVisit(answer: Answer): EndOfVisit {
  if (answer.kind === 'result' || answer.code === undefined) return 'good'
  if (answer.code === 'upstream-timeout') return 'timeout'
  return FAILURES.has(answer.code) ? 'failed' : 'neither'
}
