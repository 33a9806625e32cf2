// US bank routing numbers (ABA): the ranges of the Federal Reserve, and weights 3, 7, 1. One in ten numbers passes: only with a word.
import type { NumberDetector } from '../detector.ts'
import { numberOf, weigh } from './checks.ts'

const weights = [3, 7, 1, 3, 7, 1, 3, 7, 1]

export const aba: NumberDetector = {
  id: 'aba',
  action: 'mask',
  on: 'number',
  named: ['9', '4-4-1', '4 4 1'],
  words: ['aba', 'routing', 'rtn', 'routingnumber', 'transit number', 'bank transit'],
  passes: isRouting,
}

// 00-12 Federal Reserve and government, 21-32 thrifts, 61-72 electronic, 80 traveller's cheques.
function isRouting(digits: Uint8Array, from: number): boolean {
  const head = numberOf(digits, from, 2)
  const isUsed = head <= 12 || (head >= 21 && head <= 32) || (head >= 61 && head <= 72) || head === 80
  return isUsed && weigh(digits, from, weights) % 10 === 0 && numberOf(digits, from, 9) > 0
}
