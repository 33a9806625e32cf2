// Dutch BSN: nine digits, weights 9 to 2 and -1, mod 11. One in eleven numbers passes: only with a word.
import type { NumberDetector } from '../detector.ts'
import { isUniform, weigh } from './checks.ts'

const weights = [9, 8, 7, 6, 5, 4, 3, 2, -1]

export const nlBsn: NumberDetector = {
  id: 'nl-bsn',
  action: 'mask',
  on: 'number',
  named: ['9', '4.2.3', '3 3 3'],
  words: ['bsn', 'bsnnummer', 'burgerservicenummer', 'burger service', 'sofi', 'sofinummer', 'citizen service'],
  passes: (digits, from) => weigh(digits, from, weights) % 11 === 0 && !isUniform(digits, from, 9),
}
