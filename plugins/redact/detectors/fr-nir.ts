// French NIR (social security): sex, year, month, place, order and a key of 97. Corsica (2A, 2B) only without spaces.
import { isAlphanumeric, isDigit } from '../characters.ts'
import type { CodeDetector, NumberDetector, Range } from '../detector.ts'
import { numberOf } from './checks.ts'

const id = 'fr-nir'
const size = 15

export const frNir: NumberDetector = {
  id,
  action: 'mask',
  on: 'number',
  anywhere: ['15', '1~2~2~2~3~3~2', '13~2', '1.2.2.2.3.3.2'],
  passes: (digits, from) => isNir(numberOf(digits, from, 5), numberOf(digits, from, 13), numberOf(digits, from + 13, 2)),
}

/** Sex 1 or 2 (7, 8: provisional), months 01-12, and 20-99 where the month of birth is not known. */
function isNir(head: number, number: number, key: number): boolean {
  const sex = Math.floor(head / 10_000)
  const month = head % 100
  if (sex !== 1 && sex !== 2 && sex !== 7 && sex !== 8) return false
  return month > 0 && (month <= 12 || month >= 20) && key === 97 - (number % 97)
}

export const frNirCorsica: CodeDetector = { id, action: 'mask', on: 'code', find: findCorsican }

function findCorsican(text: string, at: number, floor: number): Range | undefined {
  const start = at - 7
  const letter = text[at - 1]
  if ((letter !== 'A' && letter !== 'B') || text[at - 2] !== '2') return undefined
  if (start < floor || (start > floor && isAlphanumeric(text.charCodeAt(start - 1)))) return undefined
  const end = start + size
  for (let i = start; i < end; i++) if (i !== at - 1 && !isDigit(text.charCodeAt(i))) return undefined
  if (isAlphanumeric(text.charCodeAt(end))) return undefined
  const number = Number(`${text.slice(start, at - 2)}${letter === 'A' ? '19' : '18'}${text.slice(at, end - 2)}`)
  return isNir(Number(text.slice(start, start + 5)), number, Number(text.slice(end - 2, end))) ? { start, end } : undefined
}
