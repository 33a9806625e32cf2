// Stretches that may be base64 or hex, told from words, hashes and identifiers by what their first characters stand for.
import { digits, letters, tableOf } from './characters.ts'
import type { Range } from './detector.ts'

/** Twelve bytes of base64, eight of hex: but for very short addresses nothing is found in less. */
export const shortest = 16

/** The character code at an offset of whatever is read; NaN or undefined outside. */
export type At = (i: number) => number

const kinds = { none: 0, plain: 1, slashed: 2, dashed: 4 } as const
const kindOf = new Uint8Array(65_536)
kindOf.set(tableOf(letters + digits))
for (const mark of '+/') kindOf[mark.charCodeAt(0)] = kinds.slashed
for (const mark of '-_') kindOf[mark.charCodeAt(0)] = kinds.dashed

export function isMember(code: number): boolean {
  return code < 65_536 && kindOf[code] !== kinds.none
}

/** The next run of characters of any of the codes that is long enough; found by looking at every sixteenth. */
export function nextRun(at: At, length: number, from: number): Range | undefined {
  for (let i = from + shortest - 1; i < length; i += shortest) {
    if (kindOf[at(i)] === kinds.none) continue
    let start = i
    while (start > from && kindOf[at(start - 1)] !== kinds.none) start--
    let end = i + 1
    while (end < length && kindOf[at(end)] !== kinds.none) end++
    if (end - start >= shortest) return { start, end }
    i = end - 1
  }
  return undefined
}

/**
 * What of a run may be a whole value: all of it, or what stands between marks, of which base64 has two and base64url has others
 * (`user/QWxh...`, `key_QWxh...`). Only what begins like a text. After a backslash the first characters may be those of an escape.
 */
export function candidatesOf(at: At, { start, end }: Range, escaped: boolean): readonly Range[] {
  if (isPlausible(at, start, end)) return [{ start, end }]
  if (escaped) for (const from of [start + 1, start + 5]) if (isPlausible(at, from, end)) return [{ start: from, end }]
  let marks = 0
  for (let i = start; i < end; i++) marks |= kindOf[at(i)]!
  for (const mask of marks === (kinds.plain | kinds.slashed | kinds.dashed) ? [kinds.dashed, kinds.slashed, anyMark] : [anyMark]) {
    const found = marks === kinds.plain ? [] : piecesOf(at, start, end, mask)
    if (found.length > 0) return found
  }
  return []
}

const anyMark = kinds.slashed | kinds.dashed

function piecesOf(at: At, start: number, end: number, mask: number): Range[] {
  const found: Range[] = []
  let from = start
  for (let i = start; i <= end; i++) {
    if (i < end && (kindOf[at(i)]! & mask) === 0) continue
    if (i - from >= shortest && isPlausible(at, from, i)) found.push({ start: from, end: i })
    from = i + 1
  }
  return found
}

const value64 = new Uint8Array(128)
const alphabet = `${letters.slice(26)}${letters.slice(0, 26)}${digits}+/`
for (let i = 0; i < alphabet.length; i++) value64[alphabet.charCodeAt(i)] = i
value64[0x2d] = 62
value64[0x5f] = 63
const looked = 32

function isPlausible(at: At, start: number, end: number): boolean {
  if (end - start < shortest) return false
  const limit = Math.min(end, start + looked)
  return isPlausible64(at, start, limit) || isPlausibleHex(at, start, limit)
}

function isPlausible64(at: At, start: number, limit: number): boolean {
  let awaited = 0
  for (let i = start; i + 3 < limit; i += 4) {
    const bits = (value64[at(i)]! << 18) | (value64[at(i + 1)]! << 12) | (value64[at(i + 2)]! << 6) | value64[at(i + 3)]!
    awaited = readByte(awaited, bits >> 16)
    if (awaited >= 0) awaited = readByte(awaited, (bits >> 8) & 255)
    if (awaited >= 0) awaited = readByte(awaited, bits & 255)
    if (awaited < 0) return false
  }
  return true
}

function isPlausibleHex(at: At, start: number, limit: number): boolean {
  let awaited = 0
  for (let i = start; i + 1 < limit; i += 2) {
    const high = hexOf(at(i))
    const low = hexOf(at(i + 1))
    awaited = high < 0 || low < 0 ? -1 : readByte(awaited, (high << 4) | low)
    if (awaited < 0) return false
  }
  return true
}

function hexOf(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const letter = code | 0x20
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}

/** How many bytes of a character are still to come after this one; -1 where it is no UTF-8 text. */
function readByte(awaited: number, byte: number): number {
  if (awaited > 0) return byte >> 6 === 2 ? awaited - 1 : -1
  if (byte < 0x20) return byte === 0x0a || byte === 0x0d || byte === 0x09 ? 0 : -1
  if (byte < 0x7f) return 0
  if (byte < 0xc2 || byte > 0xf4) return -1
  return byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3
}
