// Ids of exchanges: unique over all boots of all instances, in the order of time.
import { randomBytes } from 'node:crypto'

/**
 * `<ms since 1970, base 36>-<boot>-<counter, base 36>`: about 25 characters, sorts by time as text until the year 2059.
 * Each millisecond counts anew: callers see ids of theirs, and do not learn from two of them how much others have asked in between.
 */
export function createIds(boot: string = randomBytes(5).toString('hex')): (now: number) => string {
  let last = 0
  let counter = 0
  return now => {
    // Invariant: no id comes twice, also where the clock was set back.
    counter = now > last ? 0 : counter + 1
    last = Math.max(now, last)
    return `${last.toString(36)}-${boot}-${counter.toString(36).padStart(6, '0')}`
  }
}
