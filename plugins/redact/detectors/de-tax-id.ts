// German tax identification numbers: eleven digits, exactly one of the first ten twice or three times, ISO 7064. Only with a word.
import type { NumberDetector } from '../detector.ts'
import { mod1110 } from './checks.ts'

const counts = new Uint8Array(10)

export const deTaxId: NumberDetector = {
  id: 'de-tax-id',
  action: 'mask',
  on: 'number',
  named: ['11', '2 3 3 3'],
  words: [
    'steuer id',
    'steuerid',
    'steuerliche',
    'steueridentifikationsnummer',
    'identifikationsnummer',
    'idnr',
    'id nr',
    'steuernummer',
    'steuer nr',
    'tax id',
    'taxid',
    'tax number',
    'tax identification',
    'tin',
  ],
  passes: (digits, from) => digits[from] !== 0 && repeatsOne(digits, from) && mod1110(digits, from, 10) === digits[from + 10],
}

function repeatsOne(digits: Uint8Array, from: number): boolean {
  counts.fill(0)
  for (let i = 0; i < 10; i++) counts[digits[from + i]!]!++
  let repeated = 0
  for (const count of counts) {
    if (count > 3) return false
    if (count > 1) repeated++
  }
  return repeated === 1
}
