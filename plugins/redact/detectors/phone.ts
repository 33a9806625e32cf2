// International phone numbers (E.164): a plus sign, a country code in use, and a length that fits; the rules of North America for +1.
import { digits as digitCharacters, isAlphanumeric, isDigit, tableOf } from '../characters.ts'
import type { PrefixDetector, Range } from '../detector.ts'
import { numberOf } from './checks.ts'

// ITU-T E.164 country codes in use; `21[1-3]` stands for 211, 212 and 213.
const countries =
  /^(?:1|7|20|21[1-368]|22\d|23\d|24\d|25[0-8]|26\d|27|29[01789]|3[0-469]|35\d|37[0-9]|38[0-35-79]|4[0134-9]|42[013]|5[1-8]|50\d|59\d|6[0-6]|67[02-9]|68[0-35-9]|69[0-2]|8[1246]|80[08]|85[02356]|87[08]|88[0-368]|9[0-58]|96[0-8]|97[0-79]|99[2-68])/
/** By the first three digits: how many of them are the country. */
const countrySizes = Uint8Array.from({ length: 1000 }, (_, head) => countries.exec(String(head).padStart(3, '0'))?.[0].length ?? 0)
/** Their national numbers may begin with 0. */
const keepZero = new Set([39, 225, 229, 241, 242, 378, 379])
const most = 15
// Invariant: one search at a time uses it.
const number = new Uint8Array(most)
const longest = 32
const fewestNational = 6
const body = tableOf(`${digitCharacters} -.()`)

export const phone: PrefixDetector = { id: 'phone', action: 'mask', on: 'prefix', prefixes: ['+'], body, find: findNumber }

function findNumber(text: string, at: number, from: number): Range | undefined {
  if (!isDigit(text.charCodeAt(from))) return undefined
  let count = 0
  let end = from
  for (let i = from; i - from <= longest; ) {
    const code = text.charCodeAt(i)
    if (isDigit(code)) {
      if (count === most) return undefined
      number[count++] = code - 48
      end = ++i
    } else {
      const next = endOfSeparator(text, i)
      if (next === i) break
      i = next
    }
  }
  return count > fewestNational && !isAlphanumeric(text.charCodeAt(end)) && isNumber(count) ? { start: at, end } : undefined
}

/** Offset of what goes on after one space, dash or full stop, a bracket, and a trunk zero in brackets; `from` itself where nothing does. */
function endOfSeparator(text: string, from: number): number {
  let i = from
  if (text.charCodeAt(i) === 0x29) i++
  if (isGap(text.charCodeAt(i))) i++
  if (text.startsWith('(0)', i)) {
    i += 3
    if (isGap(text.charCodeAt(i))) i++
  }
  if (text.charCodeAt(i) === 0x28) i++
  return isDigit(text.charCodeAt(i)) ? i : from
}

function isGap(code: number): boolean {
  return code === 0x20 || code === 0x2d || code === 0x2e
}

/** The first `count` digits of `number`. */
function isNumber(count: number): boolean {
  const size = countrySizes[numberOf(number, 0, 3)]!
  if (size === 0) return false
  // North America: area and exchange begin with 2 to 9.
  if (number[0] === 1) return count === 11 && number[1]! >= 2 && number[4]! >= 2
  return count - size >= fewestNational && (number[size] !== 0 || keepZero.has(numberOf(number, 0, size)))
}
