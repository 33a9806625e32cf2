// Australian tax file numbers of nine digits: weighted, mod 11. One in eleven numbers passes: only with a word.
import type { NumberDetector } from '../detector.ts'
import { isUniform, weigh } from './checks.ts'

const weights = [1, 4, 3, 7, 5, 8, 6, 9, 10]

export const auTfn: NumberDetector = {
  id: 'au-tfn',
  action: 'mask',
  on: 'number',
  named: ['9', '3 3 3', '3-3-3'],
  words: ['tfn', 'tfns', 'tax file', 'taxfile', 'taxfilenumber'],
  passes: (digits, from) => weigh(digits, from, weights) % 11 === 0 && !isUniform(digits, from, 9),
}
