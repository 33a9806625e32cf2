// US social security numbers: 3-2-4 with dashes; with spaces or bare only where a word near by says so.
import type { NumberDetector } from '../detector.ts'
import { numberOf } from './checks.ts'

export const ssn: NumberDetector = {
  id: 'ssn',
  action: 'mask',
  on: 'number',
  anywhere: ['3-2-4'],
  named: ['3 2 4', '9'],
  words: [
    'ssn',
    'ssns',
    'ssnum',
    'ssnumber',
    'social sec',
    'social security',
    'socialsec',
    'socialsecurity',
    'socialsecuritynumber',
    'soc sec',
    'socsec',
  ],
  passes: isIssued,
}

// The Social Security Administration has never issued area 000, 666 or 900-999, group 00, serial 0000.
function isIssued(digits: Uint8Array, from: number): boolean {
  const area = numberOf(digits, from, 3)
  return area !== 0 && area !== 666 && area < 900 && numberOf(digits, from + 3, 2) !== 0 && numberOf(digits, from + 5, 4) !== 0
}
