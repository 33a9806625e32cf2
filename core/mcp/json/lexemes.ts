// The grammar of strings, numbers and literals (RFC 8259), checked byte by byte. Each function returns the end, or `~offset` of the fault.

/** What can follow inside a string without a closer look: 0 plain, 1 quote, backslash or control character. */
export const special: Uint8Array = new Uint8Array(256)
special.fill(1, 0, 0x20)
special[0x22] = 1
special[0x5c] = 1

// Four bytes at a time are read through a view; one is made for texts long enough to pay for it.
let wide: DataView | undefined
const wideLength = 2048

/** Before the strings of a buffer are scanned. */
export function prepareStrings(bytes: Buffer): void {
  wide = bytes.length < wideLength ? undefined : new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** After it, so that no message outlives its scan. */
export function releaseStrings(): void {
  wide = undefined
}

/** Offset of the first special byte from `at` on, or `length`. */
function skipPlain(bytes: Buffer, at: number, length: number): number {
  let i = at
  if (wide !== undefined) {
    const view = wide
    // A byte is below 0x20, or equal to the quote or the backslash, where the subtraction sets a high bit that was not set before.
    for (const last = length - 8; i <= last; i += 8) {
      const a = view.getInt32(i, true)
      const b = view.getInt32(i + 4, true)
      const inA = ((a - 0x20202020) | ((a ^ 0x22222222) - 0x01010101) | ((a ^ 0x5c5c5c5c) - 0x01010101)) & ~a
      const inB = ((b - 0x20202020) | ((b ^ 0x22222222) - 0x01010101) | ((b ^ 0x5c5c5c5c) - 0x01010101)) & ~b
      if (((inA | inB) & 0x80808080) !== 0) break
    }
  } else {
    for (const last = length - 4; i <= last; i += 4) {
      if ((special[bytes[i]!]! | special[bytes[i + 1]!]! | special[bytes[i + 2]!]! | special[bytes[i + 3]!]!) !== 0) break
    }
  }
  while (i < length && special[bytes[i]!] === 0) i++
  return i
}

/** `at` is after the opening quote; returns the offset after the closing one. */
export function scanString(bytes: Buffer, at: number, length: number): number {
  let i = at
  for (;;) {
    i = skipPlain(bytes, i, length)
    if (i >= length) return ~length
    const byte = bytes[i]!
    if (byte === 0x22) return i + 1
    if (byte !== 0x5c) return ~i
    const end = scanEscape(bytes, i, length)
    if (end < 0) return end
    i = end
  }
}

function scanEscape(bytes: Buffer, at: number, length: number): number {
  if (at + 1 >= length) return ~length
  switch (bytes[at + 1]) {
    case 0x22: // "
    case 0x5c: // \
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return at + 2
    case 0x75: // u
      break
    default:
      return ~(at + 1)
  }
  const unit = hexUnit(bytes, at + 2, length)
  if (unit < 0) return unit
  if (unit < 0xd800 || unit > 0xdfff) return at + 6
  // A lone surrogate has no UTF-8 form: the next reader would see another string.
  if (unit > 0xdbff || at + 7 >= length || bytes[at + 6] !== 0x5c || bytes[at + 7] !== 0x75) return ~at
  const low = hexUnit(bytes, at + 8, length)
  if (low < 0) return low
  return low >= 0xdc00 && low <= 0xdfff ? at + 12 : ~at
}

function hexUnit(bytes: Buffer, at: number, length: number): number {
  if (at + 4 > length) return ~length
  let unit = 0
  for (let i = at; i < at + 4; i++) {
    const byte = bytes[i]!
    const digit = byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66 ? (byte | 0x20) - 0x57 : -1
    if (digit < 0) return ~i
    unit = (unit << 4) | digit
  }
  return unit
}

export function scanNumber(bytes: Buffer, at: number, length: number): number {
  let i = bytes[at] === 0x2d ? at + 1 : at
  if (i < length && bytes[i] === 0x30) i++
  else {
    i = scanDigits(bytes, i, length)
    if (i < 0) return i
  }
  if (i < length && bytes[i] === 0x2e) {
    i = scanDigits(bytes, i + 1, length)
    if (i < 0) return i
  }
  if (i < length && (bytes[i]! | 0x20) === 0x65) {
    i++
    if (i < length && (bytes[i] === 0x2b || bytes[i] === 0x2d)) i++
    i = scanDigits(bytes, i, length)
  }
  return i
}

function scanDigits(bytes: Buffer, at: number, length: number): number {
  let i = at
  while (i < length && bytes[i]! >= 0x30 && bytes[i]! <= 0x39) i++
  return i === at ? ~at : i
}

const words: readonly Uint8Array[] = ['true', 'false', 'null'].map(word => Buffer.from(word))

export function scanLiteral(bytes: Buffer, at: number, length: number): number {
  const word = words.find(one => one[0] === bytes[at])
  if (word === undefined) return ~at
  for (let i = 1; i < word.length; i++) {
    if (at + i >= length) return ~length
    if (bytes[at + i] !== word[i]) return ~(at + i)
  }
  return at + word.length
}
