// The keys that expire, in the order in which they do, so that a look at the clock takes no walk over all of them.
import type { RingKey } from './ring.ts'

type Expiring = RingKey & { readonly expiresAt: number }

export interface Expiries {
  add(key: RingKey): void
  remove(key: RingKey): void
  replace(keys: Iterable<RingKey>): void
  /** Those that expire after `from` and no later than `to` (ms since 1970). */
  between(from: number, to: number): readonly RingKey[]
}

export function createExpiries(): Expiries {
  let sorted: Expiring[] = []
  /** How many come before the first that `isLater`. */
  const countUntil = (isLater: (key: Expiring) => boolean): number => {
    let [low, high] = [0, sorted.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isLater(sorted[middle]!)) high = middle
      else low = middle + 1
    }
    return low
  }
  const placeOf = (key: Expiring): number => countUntil(each => inOrder(each, key) >= 0)

  return {
    add(key) {
      if (doesExpire(key)) sorted.splice(placeOf(key), 0, key)
    },
    remove(key) {
      if (!doesExpire(key)) return
      const at = placeOf(key)
      if (sorted[at]?.digest === key.digest) sorted.splice(at, 1)
    },
    replace(keys) {
      sorted = []
      for (const key of keys) if (doesExpire(key)) sorted.push(key)
      sorted.sort(inOrder)
    },
    between: (from, to) =>
      sorted.slice(
        countUntil(each => each.expiresAt > from),
        countUntil(each => each.expiresAt > to),
      ),
  }
}

/** One that is closed has ended already. */
const doesExpire = (key: RingKey): key is Expiring => key.expiresAt !== undefined && key.closed === undefined

// Digests tell apart those that expire together.
const inOrder = (a: Expiring, b: Expiring): number => a.expiresAt - b.expiresAt || (a.digest < b.digest ? -1 : Number(a.digest > b.digest))
