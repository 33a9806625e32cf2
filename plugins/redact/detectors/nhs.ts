// UK NHS numbers: ten digits, weights 10 to 2, mod 11. One in eleven numbers passes: only with a word.
import type { NumberDetector } from '../detector.ts'
import { isUniform, weigh } from './checks.ts'

const weights = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]

export const nhs: NumberDetector = {
  id: 'nhs',
  action: 'mask',
  on: 'number',
  named: ['10', '3 3 4', '3-3-4'],
  words: ['nhs', 'nhsnumber', 'nhsno', 'national health', 'health service', 'patient number', 'patient no'],
  passes: (digits, from) => weigh(digits, from, weights) % 11 === 0 && !isUniform(digits, from, 10),
}
