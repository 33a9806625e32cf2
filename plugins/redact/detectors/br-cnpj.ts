// Brazilian CNPJ, with letters too (since July 2026): two check digits. As printed (12.345.678/0001-95) anywhere; bare only with a word.
import { isAlphanumeric, isCapital, isDigit, tableOf } from '../characters.ts'
import type { MarkDetector, NumberDetector, Range } from '../detector.ts'
import { numberOf } from './checks.ts'

const id = 'br-cnpj'
const weights = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]
const form = 'XX.XXX.XXX/XXXX-XX'
// Invariant: one search at a time uses it.
const value = new Uint8Array(14)
/** Characters before and after the slash. */
const before = 10
const after = 8

export const brCnpj: NumberDetector = {
  id,
  action: 'mask',
  on: 'number',
  named: ['14', '12-2'],
  words: ['cnpj', 'cnpjs', 'pessoa juridica', 'pessoas juridicas'],
  passes: (digits, from) => numberOf(digits, from, 12) > 0 && passesBoth(digits, from),
}

export const brCnpjPrinted: MarkDetector = {
  id,
  action: 'mask',
  on: 'mark',
  mark: '/',
  hint: { offset: -4, table: tableOf('.') },
  find(text, at, floor): Range | undefined {
    const start = at - before
    const end = at + after
    if (start < floor || (start > floor && isAlphanumeric(text.charCodeAt(start - 1))) || isAlphanumeric(text.charCodeAt(end)))
      return undefined
    let count = 0
    let sum = 0
    for (let i = start; i < end; i++) {
      const code = text.charCodeAt(i)
      const separator = form.charCodeAt(i - start)
      if (separator !== 0x58) {
        if (code !== separator) return undefined
      } else {
        if (!(isDigit(code) || (isCapital(code) && count < 12))) return undefined
        // Spec: a letter counts as its ASCII code less that of zero.
        value[count++] = code - 48
        sum += code - 48
      }
    }
    return sum > 0 && passesBoth(value, 0) ? { start, end } : undefined
  },
}

function passesBoth(values: Uint8Array, from: number): boolean {
  return checkOf(values, from, 12) === values[from + 12] && checkOf(values, from, 13) === values[from + 13]
}

function checkOf(values: Uint8Array, from: number, size: number): number {
  let sum = 0
  for (let i = 0; i < size; i++) sum += values[from + i]! * weights[weights.length - size + i]!
  return sum % 11 < 2 ? 0 : 11 - (sum % 11)
}
