// Brazilian CPF: two check digits. As printed (123.456.789-09) anywhere; bare, where one number in a hundred passes, only with a word.
import type { NumberDetector } from '../detector.ts'
import { isUniform, weigh } from './checks.ts'

const first = [10, 9, 8, 7, 6, 5, 4, 3, 2]
const second = [11, ...first]

export const brCpf: NumberDetector = {
  id: 'br-cpf',
  action: 'mask',
  on: 'number',
  anywhere: ['3.3.3-2'],
  named: ['11', '3 3 3 2', '9-2'],
  words: ['cpf', 'cpfs', 'cadastro de pessoas', 'pessoa fisica', 'pessoas fisicas'],
  passes: (digits, from) =>
    !isUniform(digits, from, 11) &&
    checkOf(digits, from, first) === digits[from + 9] &&
    checkOf(digits, from, second) === digits[from + 10],
}

function checkOf(digits: Uint8Array, from: number, weights: readonly number[]): number {
  const rest = weigh(digits, from, weights) % 11
  return rest < 2 ? 0 : 11 - rest
}
