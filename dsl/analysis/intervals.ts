// Sets of numbers as sorted intervals: unions, complements and intersections stay exact, big integers included.

/** Bounds are compared as numbers, whatever of the two they are. */
export type Numeric = number | bigint
export interface Interval {
  readonly low: Numeric
  readonly lowOpen: boolean
  readonly high: Numeric
  readonly highOpen: boolean
}
/** Sorted, disjoint, none of them empty. */
export type IntervalSet = readonly Interval[]

export const noNumbers: IntervalSet = []
export const allNumbers: IntervalSet = [{ low: Number.NEGATIVE_INFINITY, lowOpen: false, high: Number.POSITIVE_INFINITY, highOpen: false }]

export function point(value: Numeric): IntervalSet {
  return [{ low: value, lowOpen: false, high: value, highOpen: false }]
}
export function points(values: Iterable<Numeric>): IntervalSet {
  const sorted = [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  return sorted.filter((value, i) => i === 0 || !same(value, sorted[i - 1] as Numeric)).flatMap(point)
}
export function below(value: Numeric, open: boolean): IntervalSet {
  return [{ low: Number.NEGATIVE_INFINITY, lowOpen: false, high: value, highOpen: open }]
}
export function above(value: Numeric, open: boolean): IntervalSet {
  return [{ low: value, lowOpen: open, high: Number.POSITIVE_INFINITY, highOpen: false }]
}

export function complementOf(set: IntervalSet): IntervalSet {
  const out: Interval[] = []
  let low: Numeric = Number.NEGATIVE_INFINITY
  let lowOpen = false
  for (const interval of set) {
    push(out, low, lowOpen, interval.low, !interval.lowOpen)
    low = interval.high
    lowOpen = !interval.highOpen
  }
  push(out, low, lowOpen, Number.POSITIVE_INFINITY, false)
  return out
}

export function intersectionOf(a: IntervalSet, b: IntervalSet): IntervalSet {
  if (a === allNumbers) return b
  if (b === allNumbers) return a
  if (a.length === 0 || b.length === 0) return noNumbers
  const out: Interval[] = []
  for (const x of a) {
    for (const y of b) {
      const [low, lowOpen] = x.low > y.low || (same(x.low, y.low) && x.lowOpen) ? [x.low, x.lowOpen] : [y.low, y.lowOpen]
      const [high, highOpen] = x.high < y.high || (same(x.high, y.high) && x.highOpen) ? [x.high, x.highOpen] : [y.high, y.highOpen]
      push(out, low, lowOpen, high, highOpen)
    }
  }
  return out
}

export function unionOf(a: IntervalSet, b: IntervalSet): IntervalSet {
  return complementOf(intersectionOf(complementOf(a), complementOf(b)))
}

/** A number of the set, near zero where there is one; `whole`: an integer. */
export function pickOf(set: IntervalSet, whole: boolean): Numeric | undefined {
  for (const interval of set) {
    const picked = pickFrom(interval, whole)
    if (picked !== undefined) return picked
  }
  return undefined
}

function pickFrom(interval: Interval, whole: boolean): Numeric | undefined {
  const { low, high } = interval
  for (const candidate of candidates(low, high)) {
    if (whole && !isWhole(candidate)) continue
    if (contains(interval, candidate)) return candidate
  }
  if (whole) return undefined
  const middle = (Number(low) + Number(high)) / 2
  return contains(interval, middle) ? middle : undefined
}

function* candidates(low: Numeric, high: Numeric): Iterable<Numeric> {
  yield 1
  yield 0
  for (const bound of [low, high]) {
    if (!Number.isFinite(Number(bound))) continue
    yield bound
    if (typeof bound === 'bigint') {
      yield bound + 1n
      yield bound - 1n
    } else {
      yield Math.floor(bound)
      yield Math.ceil(bound)
      yield Math.floor(bound) + 1
      yield Math.ceil(bound) - 1
    }
  }
}

export function contains(interval: Interval, value: Numeric): boolean {
  const { low, lowOpen, high, highOpen } = interval
  if (value < low || (lowOpen && same(value, low))) return false
  return !(value > high || (highOpen && same(value, high)))
}
export function containsNumber(set: IntervalSet, value: Numeric): boolean {
  return set.some(interval => contains(interval, value))
}

/** Numbers of both kinds that mean the same; `===` would tell them apart. */
export function same(a: Numeric, b: Numeric): boolean {
  return !(a < b) && !(a > b)
}
function isWhole(value: Numeric): boolean {
  return typeof value === 'bigint' || Number.isInteger(value)
}
function push(out: Interval[], low: Numeric, lowOpen: boolean, high: Numeric, highOpen: boolean): void {
  if (low > high) return
  if (same(low, high) && (lowOpen || highOpen || !Number.isFinite(Number(low)))) return
  out.push({ low, lowOpen, high, highOpen })
}
