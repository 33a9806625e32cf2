// Finds the members and elements of a value that the scan kept no record of: one skipping pass over bytes already known to be valid.
import { special } from './lexemes.ts'
import { entrySize, type Tape } from './tape.ts'

/** The members of the object at `start`, one level of them. */
export function indexMembers(bytes: Buffer, start: number): Tape {
  const tape: number[] = []
  let i = skipSpace(bytes, start + 1)
  while (bytes[i] !== 0x7d) {
    const from = i + 1
    let plain = from
    while (special[bytes[plain]!] === 0) plain++
    i = skipString(bytes, plain)
    const to = bytes[plain] === 0x22 ? plain : ~(i - 1)
    const value = skipSpace(bytes, skipSpace(bytes, i) + 1)
    i = skipValue(bytes, value)
    tape.push(from, to, value, i, ~(tape.length + entrySize))
    i = skipSeparator(bytes, i)
  }
  return tape
}

/** Start and end of each element of the array at `start`, one after the other; of the first `most` elements. */
export function indexItems(bytes: Buffer, start: number, most: number): readonly number[] {
  const spans: number[] = []
  let i = skipSpace(bytes, start + 1)
  while (bytes[i] !== 0x5d && spans.length < 2 * most) {
    const end = skipValue(bytes, i)
    spans.push(i, end)
    i = skipSeparator(bytes, end)
  }
  return spans
}

function skipSeparator(bytes: Buffer, at: number): number {
  const i = skipSpace(bytes, at)
  return bytes[i] === 0x2c ? skipSpace(bytes, i + 1) : i
}

function skipSpace(bytes: Buffer, at: number): number {
  let i = at
  while (bytes[i]! <= 0x20) i++
  return i
}

/** From here on the native search is faster than looking at each byte. */
const LONG = 64

/** `at` is inside a string, and not behind a backslash of it; returns the offset after its closing quote. */
function skipString(bytes: Buffer, at: number): number {
  let i = at
  for (const far = at + LONG; i < far; ) {
    if (special[bytes[i]!] === 0) i++
    else if (bytes[i] === 0x22) return i + 1
    else i += 2
  }
  for (;;) {
    const quote = bytes.indexOf(0x22, i)
    let before = quote
    while (before > i && bytes[before - 1] === 0x5c) before--
    i = quote + 1
    if ((quote - before) % 2 === 0) return i
  }
}

function skipValue(bytes: Buffer, at: number): number {
  const first = bytes[at]!
  if (first === 0x22) return skipString(bytes, at + 1)
  if (first === 0x7b || first === 0x5b) return skipContainer(bytes, at)
  let i = at
  while (i < bytes.length && isScalar(bytes[i]!)) i++
  return i
}

function skipContainer(bytes: Buffer, at: number): number {
  let depth = 0
  let i = at
  for (;;) {
    const byte = bytes[i++]!
    if (byte === 0x22) i = skipString(bytes, i)
    else if (byte === 0x7b || byte === 0x5b) depth++
    else if ((byte === 0x7d || byte === 0x5d) && --depth === 0) return i
  }
}

function isScalar(byte: number): boolean {
  return byte > 0x20 && byte !== 0x2c && byte !== 0x5d && byte !== 0x7d
}
