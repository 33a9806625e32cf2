// Sees through disguises: full-width forms, digits of other scripts, odd spaces and dashes, invisible characters.

// Unicode decimal digits outside ASCII: each code is the zero of a row of ten (general category Nd, the scripts in use today).
const zeros = [
  0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0,
  0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0,
]
const mathDigits = 0x1d7ce
const mathDigitsEnd = 0x1d7ff

const plain = 0
const invisible = -1
// For each UTF-16 unit: `plain`, `invisible`, or the ASCII code that it stands for.
const folded = new Int8Array(0x10000)
for (const zero of zeros) for (let i = 0; i < 10; i++) folded[zero + i] = 48 + i
for (let code = 0xff01; code <= 0xff5e; code++) folded[code] = code - 0xfee0
for (const code of [0xa0, 0x1680, 0x202f, 0x205f, 0x3000]) folded[code] = 32
for (let code = 0x2000; code <= 0x200a; code++) folded[code] = 32
for (let code = 0x2010; code <= 0x2015; code++) folded[code] = 45
for (const code of [0x2212, 0x2043, 0xfe58, 0xfe63]) folded[code] = 45
for (const code of [0xad, 0x34f, 0x61c, 0x180e, 0xfeff]) folded[code] = invisible
for (let code = 0x200b; code <= 0x200f; code++) folded[code] = invisible
for (let code = 0x202a; code <= 0x202e; code++) folded[code] = invisible
for (let code = 0x2060; code <= 0x2064; code++) folded[code] = invisible
for (let code = 0x2066; code <= 0x206f; code++) folded[code] = invisible
for (let code = 0xfe00; code <= 0xfe0f; code++) folded[code] = invisible

/**
 * Whether a non-ASCII unit may be part of a disguised value. A space or a dash counts only after a digit,
 * and full-width punctuation never: both are everyday typography.
 */
export function isDisguise(code: number, before: number): boolean {
  const as = folded[code]!
  if (as === plain) return code === 0xd835
  if (as === 32 || as === 45) return (before >= 48 && before <= 57) || (before > 127 && folded[before]! !== plain)
  return as === invisible || as > 63 || (as >= 48 && as <= 57) || as === 43 || as === 46
}

/** The text in plain characters, and for each of its offsets (the end included) the offset in the original. */
export interface Folded {
  readonly text: string
  readonly origin: Int32Array
}

export function fold(text: string): Folded {
  const units = new Uint16Array(text.length)
  const origin = new Int32Array(text.length + 1)
  let length = 0
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i)
    let width = 1
    if (code === 0xd835) {
      const point = text.codePointAt(i)!
      if (point >= mathDigits && point <= mathDigitsEnd) {
        code = 48 + ((point - mathDigits) % 10)
        width = 2
      }
    } else if (code > 127) {
      const as = folded[code]!
      if (as === invisible) continue
      if (as !== plain) code = as
    }
    origin[length] = i
    units[length++] = code
    i += width - 1
  }
  origin[length] = text.length
  return { text: decodeUnits(units.subarray(0, length)), origin }
}

function decodeUnits(units: Uint16Array): string {
  return Buffer.from(units.buffer, units.byteOffset, units.byteLength).toString('utf16le')
}
