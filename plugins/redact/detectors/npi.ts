// US national provider identifiers: ten digits that begin with 1 or 2, Luhn as if 80840 stood before them. Only with a word.
import type { NumberDetector } from '../detector.ts'
import { passesLuhn } from './checks.ts'

/** What 80840 adds to the sum. */
const prefix = 24

export const npi: NumberDetector = {
  id: 'npi',
  action: 'mask',
  on: 'number',
  named: ['10'],
  words: ['npi', 'npis', 'provider', 'prescriber', 'physician'],
  passes: (digits, from) => (digits[from] === 1 || digits[from] === 2) && passesLuhn(digits, from, 10, prefix),
}
