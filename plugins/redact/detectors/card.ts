// Payment card numbers: a known issuer range, a length that this issuer uses, and the Luhn check digit.
import { isDigit } from '../characters.ts'
import type { DigitRun, DigitsDetector, Range } from '../detector.ts'
import { isFree } from './surroundings.ts'

interface Issuer {
  readonly name: string
  /** First digits, inclusive; both of the same length. */
  readonly ranges: readonly (readonly [string, string])[]
  readonly lengths: readonly number[]
}

// ISO/IEC 7812 ranges as the networks publish them.
export const issuers: readonly Issuer[] = [
  { name: 'visa', ranges: [['4', '4']], lengths: [13, 16, 19] },
  {
    name: 'mastercard',
    ranges: [
      ['51', '55'],
      ['2221', '2720'],
    ],
    lengths: [16],
  },
  {
    name: 'amex',
    ranges: [
      ['34', '34'],
      ['37', '37'],
    ],
    lengths: [15],
  },
  {
    name: 'diners',
    ranges: [
      ['300', '305'],
      ['3095', '3095'],
      ['36', '36'],
      ['38', '39'],
    ],
    lengths: [14, 16, 19],
  },
  {
    name: 'discover',
    ranges: [
      ['6011', '6011'],
      ['644', '649'],
      ['65', '65'],
    ],
    lengths: [16, 19],
  },
  { name: 'jcb', ranges: [['3528', '3589']], lengths: [16, 17, 18, 19] },
  {
    name: 'unionpay',
    ranges: [
      ['62', '62'],
      ['81', '81'],
    ],
    lengths: [16, 17, 18, 19],
  },
  {
    name: 'maestro',
    ranges: [
      ['5018', '5018'],
      ['5020', '5020'],
      ['5038', '5038'],
      ['5893', '5893'],
      ['6304', '6304'],
      ['6759', '6759'],
      ['6761', '6763'],
    ],
    lengths: [12, 13, 14, 15, 16, 17, 18, 19],
  },
  { name: 'mir', ranges: [['2200', '2204']], lengths: [16, 17, 18, 19] },
  {
    name: 'rupay',
    ranges: [
      ['508', '508'],
      ['60', '60'],
      ['817', '821'],
    ],
    lengths: [16],
  },
  {
    name: 'elo',
    ranges: [
      ['4011', '4011'],
      ['506699', '506778'],
      ['509000', '509999'],
      ['636297', '636297'],
      ['636368', '636368'],
    ],
    lengths: [16],
  },
]
const shortest = 12
const longest = 19

export const card: DigitsDetector = { id: 'card', action: 'mask', on: 'digits', find: findCards }

function findCards({ text, groups, floor }: DigitRun): readonly Range[] {
  const found: Range[] = []
  for (let first = 0; first < groups.length; first++) {
    const last = lastGroup(text, groups, first)
    if (last < first) continue
    const range = { start: groups[first]!.start, end: groups[last]!.end }
    if (!isFree(text, range, floor)) continue
    found.push(range)
    first = last
  }
  return found
}

/** The group that ends the longest card starting with group `first`; -1 where none does. */
function lastGroup(text: string, groups: readonly Range[], first: number): number {
  let number = ''
  let best = -1
  const sizes: number[] = []
  for (let i = first; i < groups.length; i++) {
    const { start, end } = groups[i]!
    if (number.length + end - start > longest) break
    number += text.slice(start, end)
    sizes.push(end - start)
    if (number.length >= shortest && isCardShape(sizes) && isCard(number)) best = i
  }
  return best
}

// As cards are printed: all together, fours with a shorter rest, 4-6-5 and 4-6-4, 6-13, 8-8, or digit by digit.
// Anything else is a row of numbers, one in ten of which passes Luhn.
function isCardShape(sizes: readonly number[]): boolean {
  if (sizes.length === 1) return true
  const rest = sizes[sizes.length - 1]!
  if (sizes.every(size => size === 1)) return true
  if (rest <= 4 && sizes.every((size, i) => size === 4 || i === sizes.length - 1)) return true
  return ['4-6-5', '4-6-4', '6-13', '8-8'].includes(sizes.join('-'))
}

export function isCard(number: string): boolean {
  return isIssued(number) && passesLuhn(number)
}

function isIssued(number: string): boolean {
  for (const { ranges, lengths } of issuers) {
    if (!lengths.includes(number.length)) continue
    for (const [low, high] of ranges) {
      const head = number.slice(0, low.length)
      if (head >= low && head <= high) return true
    }
  }
  return false
}

export function passesLuhn(number: string): boolean {
  let sum = 0
  let double = false
  for (let i = number.length - 1; i >= 0; i--) {
    const code = number.charCodeAt(i)
    if (!isDigit(code)) return false
    const digit = code - 48
    const weighted = double ? digit * 2 : digit
    sum += weighted > 9 ? weighted - 9 : weighted
    double = !double
  }
  return sum % 10 === 0
}
