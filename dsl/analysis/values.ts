// What a field may be: sets of JSON values, closed under complement, and the narrowing of a field by several of them.
import {
  allNumbers,
  complementOf,
  type IntervalSet,
  intersectionOf,
  type Numeric,
  noNumbers,
  pickOf,
  points,
  unionOf,
} from './intervals.ts'
import {
  allStrings,
  isAllStrings,
  isNoStrings,
  noStringPasses,
  noStrings,
  oneOf,
  otherStrings,
  pickString,
  type StringTest,
} from './strings.ts'

export const absent = 1
export const isNull = 2
export const isTrue = 4
export const isFalse = 8
export const isList = 16
export const isMap = 32
/** Timestamps, durations, bytes: nothing that JSON has. */
export const isOther = 64
const allFlags = 127

export interface ValueSet {
  /** A union of the constants above. */
  readonly flags: number
  readonly numbers: IntervalSet
  readonly times: IntervalSet
  readonly strings: StringTest
}

export const everything: ValueSet = { flags: allFlags, numbers: allNumbers, times: allNumbers, strings: allStrings }
export const nothing: ValueSet = { flags: 0, numbers: noNumbers, times: noNumbers, strings: noStrings }
export const present: ValueSet = { ...everything, flags: allFlags & ~absent }
export const flagged = (flags: number): ValueSet => ({ ...nothing, flags })
export const numbersIn = (numbers: IntervalSet): ValueSet => ({ ...nothing, numbers })
export const timesIn = (times: IntervalSet): ValueSet => ({ ...nothing, times })
export const stringsIn = (strings: StringTest): ValueSet => ({ ...nothing, strings })

/** Constants of conditions and schemas; a Date is a timestamp. */
export type Constant = null | boolean | string | Numeric | Date

export function constants(values: readonly Constant[]): ValueSet {
  let flags = 0
  const numbers: Numeric[] = []
  const times: number[] = []
  const strings: string[] = []
  for (const value of values) {
    if (value === null) flags |= isNull
    else if (typeof value === 'boolean') flags |= value ? isTrue : isFalse
    else if (typeof value === 'string') strings.push(value)
    else if (value instanceof Date) times.push(value.getTime())
    else numbers.push(value)
  }
  return { flags, numbers: points(numbers), times: points(times), strings: oneOf(strings) }
}

export function complement(set: ValueSet): ValueSet {
  return {
    flags: allFlags & ~set.flags,
    numbers: complementOf(set.numbers),
    times: complementOf(set.times),
    strings: otherStrings(set.strings),
  }
}

/** At least the union: exact but for strings that are no lists of constants. */
export function unionAtLeast(a: ValueSet, b: ValueSet): ValueSet {
  return {
    flags: a.flags | b.flags,
    numbers: unionOf(a.numbers, b.numbers),
    times: unionOf(a.times, b.times),
    strings: stringsOfBoth(a.strings, b.strings),
  }
}
function stringsOfBoth(a: StringTest, b: StringTest): StringTest {
  if (isNoStrings(a)) return b
  if (isNoStrings(b)) return a
  if (!a.negated && a.basis.kind === 'in' && !b.negated && b.basis.kind === 'in') {
    return oneOf([...a.basis.values, ...b.basis.values])
  }
  return allStrings
}

/** What is left of a field after several sets; `whole`: its numbers are integers. */
export interface Domain {
  readonly flags: number
  readonly numbers: IntervalSet
  readonly times: IntervalSet
  /** All of them hold. */
  readonly strings: readonly StringTest[]
  readonly whole: boolean
}

export function domainOf(set: ValueSet, whole: boolean): Domain {
  const { flags, numbers, times, strings } = set
  return { flags, numbers, times, strings: isAllStrings(strings) ? [] : [strings], whole }
}

export function narrow(domain: Domain, set: ValueSet): Domain {
  const strings = isAllStrings(set.strings) || domain.strings.includes(set.strings) ? domain.strings : [...domain.strings, set.strings]
  return {
    flags: domain.flags & set.flags,
    numbers: intersectionOf(domain.numbers, set.numbers),
    times: intersectionOf(domain.times, set.times),
    strings,
    whole: domain.whole,
  }
}

/** Without making the domain: most sets meet in a flag. */
export function leavesNothing(domain: Domain, set: ValueSet): boolean {
  return (domain.flags & set.flags) === 0 && isEmpty(narrow(domain, set))
}

/** True only where it is proven that nothing is left. */
export function isEmpty(domain: Domain): boolean {
  return (
    domain.flags === 0 &&
    (domain.numbers.length === 0 || (domain.whole && lacksIntegers(domain.numbers))) &&
    domain.times.length === 0 &&
    noStringPasses(domain.strings)
  )
}

/** Only narrow intervals can lack one; picking tries every integer near their bounds. */
function lacksIntegers(set: IntervalSet): boolean {
  return set.every(interval => Number(interval.high) - Number(interval.low) < 2 && pickOf([interval], true) === undefined)
}

export function overlap(a: ValueSet, b: ValueSet, whole = false): boolean {
  return !isEmpty(narrow(domainOf(a, whole), b))
}

/** A value of the domain as plain JSON; undefined for absent or where none is at hand. */
export function pickValue(domain: Domain): unknown {
  const text = pickString(domain.strings)
  if (text !== undefined) return text
  const number = pickOf(domain.numbers, domain.whole) ?? pickOf(domain.numbers, true)
  if (number !== undefined) return typeof number === 'bigint' ? Number(number) : number
  if (domain.flags & isTrue) return true
  if (domain.flags & isFalse) return false
  if (domain.flags & isList) return []
  if (domain.flags & isMap) return {}
  if (domain.flags & isNull) return null
  return undefined
}
