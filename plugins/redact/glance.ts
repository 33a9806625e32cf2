// A first look at the bytes of a JSON text: most are clean, and bytes are read several times faster than the characters of a string.
import { isAlphanumeric, isCapital, isDigit } from './characters.ts'
import type { MarkDetector, NumberDetector } from './detector.ts'
import { type Candidate, stop, type Triggers } from './triggers.ts'

const backslash = 0x5c
const slash = 0x2f
const dash = 0x2d
// What a long number is made of: digits, the full stops of its groups or of a mantissa, other separators.
const numeric = new Uint8Array(256)
for (const character of '0123456789.') numeric[character.charCodeAt(0)] = 2
for (const character of ' -') numeric[character.charCodeAt(0)] = 1
/** A letter may follow so many digits, and belong to them. */
const digitsBeforeLetter = 8

/** False only where `screen` is false for the same text: whatever it would look at more closely is true here. */
export function compileGlance(triggers: Triggers): (json: Uint8Array) => boolean {
  const { slots, candidates, marks, code, numbers } = triggers
  const stops = findStops(triggers)
  const hasLongNumber = compileLongNumbers(numbers)

  /** No literal begins before `floor`, the end of the last escape. */
  function isSuspect(json: Uint8Array, i: number, floor: number): boolean {
    const byte = json[i]!
    if (byte > 127) return true
    const next = json[i + 1]!
    if (byte === backslash) {
      if (next === 0x75 || (next === backslash && json[i + 2] === 0x75)) return true
      return next === slash && marks[slash]!.some(mark => isHinted(json, i, mark))
    }
    if (marks[byte]!.some(mark => isHinted(json, i, mark))) return true
    if (isCapital(byte) && code.length > 0 && startsCode(json, i, floor)) return true
    const slot = slots[((i > floor ? json[i - 1]! : 0) << 7) | byte]!
    return slot !== 0 && candidates[slot]!.some(one => standsAt(json, i, one))
  }

  return json => {
    if (hasLongNumber(json)) return true
    const end = json.length
    let floor = 0
    for (let i = 0; i < end; i++) {
      const byte = json[i]!
      if (stops[byte] === 0) continue
      if (isSuspect(json, i, floor)) return true
      if (byte === backslash) {
        i++
        floor = i + 1
      }
    }
    return false
  }
}

/** 1 for each byte that needs more than a look: escapes, what is not ASCII, and where a detector may begin. */
function findStops({ classes, code }: Triggers): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => {
    if (byte > 127) return 1
    const wanted: number = classes[byte]!
    return wanted === stop.anchor || wanted === stop.backslash || wanted === stop.mark || (isCapital(byte) && code.length > 0) ? 1 : 0
  })
}

function isHinted(json: Uint8Array, i: number, { hint }: MarkDetector): boolean {
  return hint === undefined || hint.table[json[i + hint.offset]!] === 1
}

/**
 * Whether a capital may begin what the detectors of codes look for: DE89, AB12 or AB 12, X12 or X-12; or is the 2A of a place in Corsica.
 * An escape may hide what stands before it, in its letter: `\nDE89`.
 */
function startsCode(json: Uint8Array, i: number, floor: number): boolean {
  const next = json[i + 1]!
  if (isDigit(next) && isDigit(json[i - 1]!) && isDigit(json[i - 2]!)) return json[i - 1] === 0x32
  const isJoined = i > floor && isAlphanumeric(json[i - 1]!) && json[i - 2] !== backslash
  if (isJoined) return false
  const second = isCapital(next) ? i + 2 : i + 1
  const from = isSeparator(json[second]!) ? second + 1 : second
  return isDigit(json[from]!) && isDigit(json[from + 1]!)
}

/** Whether there are so many digits or full stops, with nothing but separators between them, as the shortest number has. */
function compileLongNumbers(numbers: readonly NumberDetector[]): (json: Uint8Array) => boolean {
  const withTail = numbers.some(({ tail }) => tail !== undefined)
  const fewest = Math.min(
    ...numbers.flatMap(({ tail, anywhere = [], named = [] }) => (tail === undefined ? [...anywhere, ...named] : [])).map(weightOf),
  )
  const shortest = withTail ? Math.min(digitsBeforeLetter, fewest) : fewest

  // So long a stretch shows in every ninth byte, or whatever its length is.
  return json => {
    if (numbers.length === 0) return false
    const end = json.length
    for (let probe = shortest - 1; probe < end; probe += shortest) {
      if (numeric[json[probe]!] === 0) continue
      let from = probe
      while (from > 0 && numeric[json[from - 1]!] !== 0) from--
      let count = 0
      for (; from < end && numeric[json[from]!] !== 0; from++) if (numeric[json[from]!] === 2) count++
      if (count >= fewest || (withTail && isCapital(json[from]!) && endsInDigits(json, from))) return true
      while (probe + shortest < from) probe += shortest
    }
    return false
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

function isSeparator(byte: number): boolean {
  return byte === 0x20 || byte === dash
}

function standsAt(json: Uint8Array, i: number, { literal, anchor: offset }: Candidate): boolean {
  const start = i - offset
  if (start < 0) return false
  for (let k = 0; k < literal.length; k++) if (json[start + k] !== literal.charCodeAt(k)) return false
  return true
}
