// A first look at the bytes of a JSON text: most are clean, and bytes are read several times faster than the characters of a string.
import { isCapital, isDigit } from './characters.ts'
import { type Candidate, stop, type Triggers } from './triggers.ts'

const shortest = 9
const slash = 0x5c
// What a long number is made of: digits, the separators of its groups, the point of a mantissa.
const numeric = new Uint8Array(256)
for (const character of '0123456789.') numeric[character.charCodeAt(0)] = 2
for (const character of ' -') numeric[character.charCodeAt(0)] = 1

/** False only where `screen` is false for the same text: whatever it would look at more closely is true here. */
export function compileGlance(triggers: Triggers): (json: Uint8Array) => boolean {
  const { slots, candidates } = triggers
  const stops = findStops(triggers)

  /** No literal begins before `floor`, the end of the last escape. */
  function isSuspect(json: Uint8Array, i: number, floor: number): boolean {
    const byte = json[i]!
    const next = json[i + 1]!
    if (byte === slash) return next === 0x75 || (next === slash && json[i + 2] === 0x75)
    if (byte > 127 || byte === 0x40) return true
    if (isCapital(byte) && isDigit(next)) return true
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
      if (byte === slash) {
        i++
        floor = i + 1
      }
    }
    return false
  }
}

/** 1 for each byte that needs more than a look: escapes, what is not ASCII, and where a detector may begin. */
function findStops({ classes, code, at }: Triggers): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => {
    if (byte > 127 || classes[byte] === stop.anchor || classes[byte] === stop.backslash) return 1
    return (classes[byte] === stop.at && at.length > 0) || (isCapital(byte) && code.length > 0) ? 1 : 0
  })
}

/** Nine digits or points with nothing but separators between them. So long a stretch shows in every ninth byte. */
function hasLongNumber(json: Uint8Array): boolean {
  const end = json.length
  for (let probe = shortest - 1; probe < end; probe += shortest) {
    if (numeric[json[probe]!] === 0) continue
    let from = probe
    while (from > 0 && numeric[json[from - 1]!] !== 0) from--
    let count = 0
    for (; from < end && numeric[json[from]!] !== 0; from++) if (numeric[json[from]!] === 2) count++
    if (count >= shortest) return true
    while (probe + shortest < from) probe += shortest
  }
  return false
}

function standsAt(json: Uint8Array, i: number, { literal, anchor: offset }: Candidate): boolean {
  const start = i - offset
  if (start < 0) return false
  for (let k = 0; k < literal.length; k++) if (json[start + k] !== literal.charCodeAt(k)) return false
  return true
}
