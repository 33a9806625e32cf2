// A first look at the bytes of a JSON text: most are clean, and bytes are read several times faster than the characters of a string.
import { isCapital, isDigit } from './characters.ts'
import type { NumberDetector } from './detector.ts'
import { compilePairs, pairOf, pairsOf, standsAt } from './pairs.ts'
import type { Triggers } from './triggers.ts'

const dash = 0x2d
const unicodeEscape = Buffer.from('\\u')
// What a pair may be.
const waited = 1
const inNumber = 2
/** Pairs that are looked at together. */
const atOnce = 4
// What a long number is made of: digits, the full stops of its groups or of a mantissa, other separators.
const numeric = new Uint8Array(256)
for (const character of '0123456789.') numeric[character.charCodeAt(0)] = 2
for (const character of ' -') numeric[character.charCodeAt(0)] = 1
const numericPairs = new Uint8Array(65_536)
const members = [...numeric.keys()].filter(code => numeric[code] !== 0)
for (const first of members) for (const second of members) numericPairs[pairOf(first, second)] = inNumber
/** A letter may follow so many digits, and belong to them. */
const digitsBeforeLetter = 8

/** False only where `screen` is false for the same text: whatever it would look at more closely is true here. */
export function compileGlance(triggers: Triggers): (json: Uint8Array) => boolean {
  const { slots, waiting } = compilePairs(triggers)
  const kinds = triggers.numbers.length > 0 ? numericPairs.slice() : new Uint8Array(slots.length)
  for (let pair = 0; pair < slots.length; pair++) if (slots[pair] !== 0) kinds[pair]! |= waited
  const isLongNumber = compileLongNumber(triggers.numbers)

  function isSuspect(json: Uint8Array, pairs: Uint16Array, from: number, to: number): boolean {
    const first = json.byteOffset & 1
    for (let i = from; i < to; i++) {
      const slot = slots[pairs[i]!]!
      if (slot === 0) continue
      const { literals, looks } = waiting[slot]!
      for (let k = 0; k < literals.length; k++) if (standsAt(json, first + 2 * i, literals[k]!)) return true
      for (let k = 0; k < looks.length; k++) if (looks[k]!(json, first + 2 * i)) return true
    }
    return false
  }

  return json => {
    if (Buffer.from(json.buffer, json.byteOffset, json.length).includes(unicodeEscape)) return true
    const pairs = pairsOf(json)
    const first = json.byteOffset & 1
    // Invariant: no JSON text begins or ends in anything that is waited for, so that a byte without a pair says nothing.
    if (pairs.length < atOnce) return isSuspect(json, pairs, 0, pairs.length)
    let counted = 0
    for (let next = 0; next < pairs.length; next += atOnce) {
      const i = Math.min(next, pairs.length - atOnce)
      const a = kinds[pairs[i]!]!
      const b = kinds[pairs[i + 1]!]!
      const c = kinds[pairs[i + 2]!]!
      const d = kinds[pairs[i + 3]!]!
      if (((a | b | c | d) & waited) !== 0 && isSuspect(json, pairs, i, i + atOnce)) return true
      // Invariant: no number has less than seven bytes, so that of any three pairs within one, two stand here side by side.
      if ((((a & b) | (b & c) | (c & d)) & inNumber) === 0) continue
      const at = first + 2 * i + ((a & b & inNumber) === 0 ? 4 : 2)
      if (at < counted) continue
      counted = endOfNumeric(json, at)
      if (isLongNumber(json, at, counted)) return true
    }
    return false
  }
}

function endOfNumeric(json: Uint8Array, from: number): number {
  let end = from
  while (end < json.length && numeric[json[end]!] !== 0) end++
  return end
}

/** Whether there are so many digits or full stops, with nothing but separators between them, as the shortest number has. */
function compileLongNumber(numbers: readonly NumberDetector[]): (json: Uint8Array, at: number, end: number) => boolean {
  const withTail = numbers.some(({ tail }) => tail !== undefined)
  const fewest = Math.min(
    ...numbers.flatMap(({ tail, anywhere = [], named = [] }) => (tail === undefined ? [...anywhere, ...named] : [])).map(weightOf),
  )
  return (json, at, end) => {
    let from = at
    while (from > 0 && numeric[json[from - 1]!] !== 0) from--
    let count = 0
    for (let i = from; i < end; i++) if (numeric[json[i]!] === 2) count++
    return count >= fewest || (withTail && isCapital(json[end]!) && endsInDigits(json, end))
  }
}

function endsInDigits(json: Uint8Array, end: number): boolean {
  let i = json[end - 1] === dash ? end - 1 : end
  let count = 0
  for (; count < digitsBeforeLetter; i--) {
    if (isDigit(json[i - 1]!)) count++
    else if (json[i - 1] !== 0x2e) return false
  }
  return true
}

/** Digits and full stops of a shape. */
function weightOf(shape: string): number {
  return shape.split(/\D/).reduce((sum, size) => sum + Number(size), 0) + (shape.match(/\./g)?.length ?? 0)
}
