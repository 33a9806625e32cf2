// Spanish NIF of persons: eight digits (with a word) or X, Y, Z and seven (NIE), and the letter that mod 23 gives.
import { isAlphanumeric, isDigit } from '../characters.ts'
import type { CodeDetector, NumberDetector, Range } from '../detector.ts'
import { numberOf } from './checks.ts'

const letters = 'TRWAGMYFPDXBNJZSQVHLCKE'
const id = 'es-nif'
const words: readonly string[] = ['dni', 'nif', 'nie', 'documento', 'identidad', 'identificacion fiscal', 'identificacion']

export const esNif: NumberDetector = {
  id,
  action: 'mask',
  on: 'number',
  named: ['8', '2.3.3'],
  words,
  passes: () => true,
  tail: (text, end, digits, from) => endOfLetter(text, end, numberOf(digits, from, 8)),
}

/** One in 23 passes; that it begins with X, Y or Z and has the length leaves few others. */
export const esNie: CodeDetector = { id, action: 'mask', on: 'code', find: findNie }

function findNie(text: string, at: number, floor: number): Range | undefined {
  const start = at - (text.charCodeAt(at - 1) === 0x2d ? 2 : 1)
  const first = text.charCodeAt(start)
  if (start < floor || first < 0x58 || first > 0x5a || (start > floor && isAlphanumeric(text.charCodeAt(start - 1)))) return undefined
  let value = first - 0x58
  for (let i = at; i < at + 7; i++) {
    const code = text.charCodeAt(i)
    if (!isDigit(code)) return undefined
    value = value * 10 + code - 48
  }
  const end = endOfLetter(text, at + 7, value)
  return end < 0 || isAlphanumeric(text.charCodeAt(end)) ? undefined : { start, end }
}

function endOfLetter(text: string, from: number, value: number): number {
  const at = text.charCodeAt(from) === 0x2d ? from + 1 : from
  return text[at] === letters[value % 23] ? at + 1 : -1
}
