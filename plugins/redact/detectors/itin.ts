// US individual taxpayer identification numbers: like an SSN that begins with 9, and a fourth and fifth digit of the ranges in use.
import type { NumberDetector } from '../detector.ts'
import { numberOf } from './checks.ts'

export const itin: NumberDetector = {
  id: 'itin',
  action: 'mask',
  on: 'number',
  anywhere: ['3-2-4'],
  named: ['3 2 4', '9'],
  words: ['itin', 'itins', 'taxpayer', 'tax id', 'taxid', 'tin'],
  passes: isIssued,
}

// IRS: 50-65, 70-88, 90-92 and 94-99.
function isIssued(digits: Uint8Array, from: number): boolean {
  const middle = numberOf(digits, from + 3, 2)
  return digits[from] === 9 && middle >= 50 && !(middle > 65 && middle < 70) && middle !== 89 && middle !== 93
}
