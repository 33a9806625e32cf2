// Polish PESEL: a date of birth with the century in its month, and weights 1, 3, 7, 9. One in fifty numbers passes: only with a word.
import type { NumberDetector } from '../detector.ts'
import { numberOf, weigh } from './checks.ts'

const weights = [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]
const centuries = [1900, 2000, 2100, 2200, 1800]

export const plPesel: NumberDetector = {
  id: 'pl-pesel',
  action: 'mask',
  on: 'number',
  named: ['11'],
  words: ['pesel', 'numer ewidencyjny', 'ewidencyjny'],
  passes: (digits, from) => weigh(digits, from, weights) % 10 === 0 && hasDate(digits, from),
}

function hasDate(digits: Uint8Array, from: number): boolean {
  const month = numberOf(digits, from + 2, 2)
  const year = centuries[Math.floor(month / 20)]! + numberOf(digits, from, 2)
  const day = numberOf(digits, from + 4, 2)
  const inYear = month % 20
  return inYear >= 1 && inYear <= 12 && day >= 1 && day <= new Date(Date.UTC(year, inYear, 0)).getUTCDate()
}
