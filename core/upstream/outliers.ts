// Which of several instances get new calls: one that cannot be reached, hangs, or is much slower than its peers gets none for a time,
// and then is asked whether it is there, and tried with one call.
import type { Clock } from '../plugin/index.ts'
import type { Breaker } from './breaker.ts'
import { createPace, type EndOfVisit, type Pace, type Visit } from './pace.ts'

export interface Outliers {
  /** New calls may go there. */
  takes(index: number): boolean
  /** It cannot be reached, or its breaker keeps calls away: who is bound to it goes elsewhere. */
  isAway(index: number): boolean
  /** It has answered that it is there, and waits for the call that tells. */
  isOnTrial(index: number): boolean
  /** One that has been left alone for long enough: whoever gets it asks whether it is there, and tells. */
  due(): number | undefined
  asked(index: number, isThere: boolean): void
  begin(index: number): Visit
  end(index: number, visit: Visit, end: EndOfVisit): void
  /** It could not be reached. */
  missed(index: number, retryAfterMs?: number): void
  /** Why it gets no calls. */
  why(index: number): string | undefined
}

export interface OutliersOptions {
  readonly clock: Clock
  readonly breakers: readonly Pick<Breaker, 'state' | 'retryAfterMs'>[]
  /** False where each has callers of its own, so that what calls take says nothing of it. */
  readonly comparesPace: boolean
  /** It gets no calls from now on, for the reason given; or it does again. */
  onChange(index: number, why: string | undefined): void
}

/** `in`: gets calls. `out`: gets none. `asked`: is being asked. `ready`: the next call is its trial. `tried`: that is under way. */
type State = 'in' | 'out' | 'asked' | 'ready' | 'tried'

interface Standing {
  state: State
  isSlow: boolean
  why: string
  /** Not asked before. */
  notBefore: number
  /** So often in a row it was found unwell. */
  outs: number
  inSince: number
  readonly pace: Pace
}

/** First and longest time that one is left alone: what cannot be reached, what is slow. */
const AWAY_MS = [500, 30_000] as const
const SLOW_MS = [10_000, 300_000] as const
/** Well for so long, what was before is forgotten. */
const FORGET_MS = 60_000
const REVIEW_MS = 250
const TIMEOUTS = 3

export function createOutliers({ clock, breakers, comparesPace, onChange }: OutliersOptions): Outliers {
  const all: Standing[] = breakers.map(() => ({
    state: 'in',
    isSlow: false,
    why: '',
    notBefore: 0,
    outs: 0,
    inSince: Number.NEGATIVE_INFINITY,
    pace: createPace(clock),
  }))
  const mostSlow = Math.floor(all.length / 2)
  let nextReview = 0

  function leaveOut(index: number, isSlow: boolean, why: string, leastMs = 0): void {
    const one = all[index]!
    const now = clock.mono()
    const was = one.state
    if (was === 'in' && now - one.inSince > FORGET_MS) one.outs = 0
    const [first, longest] = isSlow ? SLOW_MS : AWAY_MS
    one.notBefore = now + Math.max(leastMs, Math.min(longest, first * 2 ** Math.min(one.outs, 20)))
    one.outs++
    one.state = 'out'
    one.isSlow = isSlow
    one.why = why
    if (was === 'in') onChange(index, why)
  }

  function takeIn(index: number): void {
    const one = all[index]!
    one.state = 'in'
    one.isSlow = false
    one.inSince = clock.mono()
    one.pace.forget()
    onChange(index, undefined)
  }

  /** A breaker opens by calls of any lane. */
  function look(index: number): Standing {
    const one = all[index]!
    if (one.state === 'in' && breakers[index]!.state !== 'closed')
      leaveOut(index, false, 'its breaker is open', breakers[index]!.retryAfterMs)
    return one
  }

  /** Invariant: for slowness never more than half are left out, and never the last one. */
  function mayLeaveOut(): boolean {
    return all.filter(one => one.isSlow).length < mostSlow && all.filter(one => one.state === 'in').length > 1
  }

  function review(): void {
    const now = clock.mono()
    if (now < nextReview) return
    nextReview = now + REVIEW_MS
    for (const [index, one] of all.entries()) {
      if (one.state !== 'in' || !mayLeaveOut()) continue
      const peers = all.filter(other => other !== one && other.state === 'in').map(other => other.pace)
      const why = one.pace.timeouts >= TIMEOUTS ? `${one.pace.timeouts} calls in a row timed out` : whySlow(one.pace, peers)
      if (why !== undefined) leaveOut(index, true, why)
    }
  }

  function whySlow(pace: Pace, peers: readonly Pace[]): string | undefined {
    return comparesPace ? pace.compare(peers) : undefined
  }

  return {
    takes: index => look(index).state === 'in',
    isAway: index => breakers[index]!.state !== 'closed' || (look(index).state !== 'in' && !all[index]!.isSlow),
    isOnTrial: index => all[index]!.state === 'ready',
    due() {
      review()
      const now = clock.mono()
      const found = all.findIndex(one => one.state === 'out' && now >= one.notBefore)
      if (found < 0) return undefined
      all[found]!.state = 'asked'
      return found
    },
    asked(index, isThere) {
      const one = all[index]!
      if (one.state !== 'asked') return
      if (isThere) one.state = 'ready'
      else leaveOut(index, one.isSlow, one.why)
    },
    begin(index) {
      const one = all[index]!
      const isTrial = one.state === 'ready'
      if (isTrial) one.state = 'tried'
      return one.pace.begin(isTrial)
    },
    end(index, visit, end) {
      const one = all[index]!
      one.pace.end(visit, end)
      if (!visit.isTrial || one.state !== 'tried') return review()
      const peers = all.filter(other => other.state === 'in').map(other => other.pace)
      const tookLong = comparesPace && one.isSlow && one.pace.isLong(clock.mono() - visit.at, peers)
      if (end === 'neither') one.state = 'ready'
      else if (end === 'good' && !tookLong) takeIn(index)
      else leaveOut(index, one.isSlow, one.why)
    },
    missed(index, retryAfterMs) {
      const one = all[index]!
      // It is out already: many callers find the same.
      if (one.state === 'out' || one.state === 'asked') return
      leaveOut(index, false, 'it cannot be reached', retryAfterMs)
    },
    why: index => (look(index).state === 'in' ? undefined : all[index]!.why),
  }
}
