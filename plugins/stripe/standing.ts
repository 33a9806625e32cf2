// How a line stands: what is to be done for it, or why nothing can be.
import type { StripeConfig } from './config.ts'
import type { Line } from './line.ts'

const HOUR = 3_600_000
/** Stripe takes no event that is older. */
export const OLDEST_MS: number = 35 * 24 * HOUR
/** Stripe knows an identifier again for at least 24 h. An hour less, for its clock is not ours. */
export const REPEATABLE_MS: number = 23 * HOUR

/** Stripe sums up with a delay; what was sent longer ago is in the sum. */
export const SUMMED_MS: number = HOUR
/** No time that is set for another try is as far off: one that is was set by a clock that went back since. */
export const TRY_AGAIN_MS: number = 2 * HOUR

/**
 * `billed`, `waiting` (to be sent), `open` (being sent, or of unknown fate for now), `refused` (by Stripe; tried again each hour), `held` (no
 * customer, or no such meter in the config), `expired` (too old for Stripe), `credit` (more was billed than used), `uncertain` (an operator has
 * to say), `before` (used before billing began).
 */
export type Standing = 'billed' | 'waiting' | 'open' | 'refused' | 'held' | 'expired' | 'credit' | 'uncertain' | 'before'

export const standings: readonly Standing[] = ['billed', 'waiting', 'open', 'refused', 'held', 'expired', 'credit', 'uncertain', 'before']

export interface Terms {
  readonly config: Pick<StripeConfig, 'customers' | 'meters'>
  /** ms since 1970. */
  readonly since: number
  readonly now: number
}

export function standingOf(line: Line, terms: Terms): Standing {
  const { attempt, wanted, sent } = line
  if (attempt.state !== 'idle') return attempt.state
  if (wanted === sent) return 'billed'
  if (wanted < sent) return 'credit'
  if (line.end <= terms.since) return 'before'
  if (isExpired(line, terms.now)) return 'expired'
  if (customerOf(line, terms.config) === undefined || !terms.config.meters.some(({ event, of }) => event === line.event && of === line.of))
    return 'held'
  // What is only to be tried later is not put off by the hour.
  return attempt.next === 0 ? 'waiting' : 'refused'
}

/** Windows that ended by then are too old: their time, the last second of them, is more than 35 days ago. ms since 1970. */
export const expiredBy = (now: number): number => Math.ceil((now - OLDEST_MS) / 1000) * 1000
export const isExpired = ({ end }: Line, now: number): boolean => end <= expiredBy(now)

/** A window stays with whom it was first billed to, so that its sum can be compared. */
export const customerOf = (line: Line, { customers }: Pick<StripeConfig, 'customers'>): string | undefined =>
  line.sent !== 0 && line.attempt.customer !== ''
    ? line.attempt.customer
    : Object.hasOwn(customers, line.tenant)
      ? customers[line.tenant]
      : undefined

/** More was billed than used, and the last event can still be cancelled. */
export const isCancellable = ({ attempt, wanted, sent }: Line, now: number): boolean =>
  attempt.state === 'idle' &&
  wanted < sent &&
  attempt.lastIdentifier !== '' &&
  now >= attempt.lastAt &&
  now - attempt.lastAt < REPEATABLE_MS

/** Whether an open attempt may be made again: Stripe would know its identifier. A clock that went back is not believed. */
export const isRepeatable = ({ unsure, tried }: Line['attempt'], now: number): boolean =>
  unsure !== null && unsure > 0 && now >= tried && now - unsure < REPEATABLE_MS
