// Payment card numbers: a known issuer range, a length that this issuer uses, and the Luhn check digit.
import type { NumberDetector } from '../detector.ts'
import { numberOf, passesLuhn } from './checks.ts'

interface Issuer {
  readonly name: string
  /** First digits, inclusive; both of the same length. */
  readonly ranges: readonly (readonly [string, string])[]
  readonly lengths: readonly number[]
}

// ISO/IEC 7812 ranges as the networks publish them, and as card forms of shops know them.
const issuers: readonly Issuer[] = [
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
    name: 'jcb',
    ranges: [
      ['2131', '2131'],
      ['1800', '1800'],
    ],
    lengths: [15],
  },
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
  { name: 'dankort', ranges: [['5019', '5019']], lengths: [16] },
  { name: 'mir', ranges: [['2200', '2204']], lengths: [16, 17, 18, 19] },
  { name: 'borica', ranges: [['2205', '2205']], lengths: [16] },
  { name: 'troy', ranges: [['9792', '9792']], lengths: [16] },
  { name: 'naranja', ranges: [['589562', '589562']], lengths: [16] },
  {
    name: 'hiper',
    ranges: [
      ['637095', '637095'],
      ['637568', '637568'],
      ['637599', '637599'],
      ['637609', '637609'],
      ['637612', '637612'],
    ],
    lengths: [16],
  },
  {
    name: 'verve',
    ranges: [
      ['506099', '506198'],
      ['507865', '507964'],
    ],
    lengths: [16, 18, 19],
  },
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
const longest = 19
const headDigits = 6

/** By length and first digit, `length * 10 + digit`: what a number has to begin with, as ranges of its first six digits. */
const ranges: (readonly [low: number, high: number])[][] = Array.from({ length: 10 * (longest + 1) }, () => [])
for (const issuer of issuers) {
  for (const [low, high] of issuer.ranges) {
    const [from, to] = [Number(low.padEnd(headDigits, '0')), Number(high.padEnd(headDigits, '9'))]
    for (let first = Number(low[0]); first <= Number(high[0]); first++) {
      for (const length of issuer.lengths) ranges[length * 10 + first]!.push([from, to])
    }
  }
}

export const card: NumberDetector = {
  id: 'card',
  action: 'mask',
  on: 'number',
  anywhere: shapes(),
  passes: (digits, from, size) => isIssued(digits, from, size) && passesLuhn(digits, from, size),
}

// As cards are printed: all together, fours with a shorter rest, 4-6-5 and 4-6-4, 6-13, 8-8, or digit by digit.
// Anything else is a row of numbers, one in ten of which passes Luhn.
function shapes(): readonly string[] {
  const all = ['4~6~5', '4~6~4', '6~13', '8~8', '4~4~4']
  for (let size = 12; size <= longest; size++) all.push(String(size), Array<number>(size).fill(1).join('~'))
  for (const fours of [3, 4]) for (let rest = 1; rest <= 4 && fours * 4 + rest <= longest; rest++) all.push(`${'4~'.repeat(fours)}${rest}`)
  return all
}

function isIssued(digits: Uint8Array, from: number, size: number): boolean {
  const known = ranges[size * 10 + digits[from]!]!
  if (known.length === 0) return false
  const head = numberOf(digits, from, headDigits)
  for (const [low, high] of known) if (head >= low && head <= high) return true
  return false
}
