// National numbers, each made by its published rule, from the other side than a check: a body first, then what must follow it.
import { luhnDigit } from './accounts.ts'
import { alphabet, type Chance } from './random.ts'

const pad = (value: number, size: number): string => String(value).padStart(size, '0')
const sumOf = (digits: string, weights: readonly number[]): number =>
  digits.split('').reduce((sum, digit, i) => sum + Number(digit) * weights[i]!, 0)

export function ssn(chance: Chance): string {
  const area = chance.between(1, 899)
  return `${pad(area === 666 ? 667 : area, 3)}-${pad(chance.between(1, 99), 2)}-${pad(chance.between(1, 9999), 4)}`
}

export function itin(chance: Chance): string {
  const middle = chance.from([chance.between(50, 65), chance.between(70, 88), chance.between(90, 92), chance.between(94, 99)])
  return `9${chance.digits(2)}-${middle}-${chance.digits(4)}`
}

export function npi(chance: Chance): string {
  const body = chance.from(['1', '2']) + chance.digits(8)
  return body + luhnDigit(`80840${body}`)
}

export function nhs(chance: Chance): string {
  for (;;) {
    const body = `${chance.between(3, 7)}${chance.digits(8)}`
    const check = 11 - (sumOf(body, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)
    if (check !== 10) return body + (check === 11 ? 0 : check)
  }
}

export function nino(chance: Chance): string {
  const prefix = chance.from(['AA', 'AB', 'CE', 'HJ', 'JK', 'LP', 'MR', 'NS', 'PW', 'SX', 'WY', 'YZ'])
  return prefix + chance.digits(6) + chance.text('ABCD', 1)
}

/** A digit once more, or twice more, than the others; the last by ISO 7064 mod 11, 10. */
export function germanTaxId(chance: Chance): string {
  for (;;) {
    const order = alphabet.digits.split('').sort(() => chance.below(3) - 1)
    const twice = chance.below(2) === 0
    const body = [...order.slice(0, twice ? 9 : 8), ...Array<string>(twice ? 1 : 2).fill(order[0]!)]
      .sort(() => chance.below(3) - 1)
      .join('')
    if (body.startsWith('0')) continue
    let product = 10
    for (const digit of body) {
      let sum = (Number(digit) + product) % 10
      if (sum === 0) sum = 10
      product = (2 * sum) % 11
    }
    const check = 11 - product
    return body + (check === 10 ? 0 : check)
  }
}

const nifLetter = (value: number): string => 'TRWAGMYFPDXBNJZSQVHLCKE'.charAt(value % 23)

export function nif(chance: Chance): string {
  const body = chance.digits(8)
  return body + nifLetter(Number(body))
}

export function nie(chance: Chance): string {
  const first = chance.below(3)
  const body = chance.digits(7)
  return 'XYZ'[first]! + body + nifLetter(Number(`${first}${body}`))
}

export function nir(chance: Chance): string {
  const body = `${chance.between(1, 2)}${chance.digits(2)}${pad(chance.between(1, 12), 2)}${pad(chance.between(1, 95), 2)}${chance.digits(6)}`
  return body + pad(Number(97n - (BigInt(body) % 97n)), 2)
}

export function bsn(chance: Chance): string {
  for (;;) {
    const body = String(chance.between(10_000_000, 99_999_999))
    const check = sumOf(body, [9, 8, 7, 6, 5, 4, 3, 2]) % 11
    if (check < 10) return body + check
  }
}

export function pesel(chance: Chance): string {
  const shift = chance.from([0, 20])
  const body = `${pad(chance.below(100), 2)}${pad(chance.between(1, 12) + shift, 2)}${pad(chance.between(1, 28), 2)}${chance.digits(4)}`
  return body + ((10 - (sumOf(body, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10)
}

const dihedral = [
  '0123456789',
  '1234067895',
  '2340178956',
  '3401289567',
  '4012395678',
  '5987604321',
  '6598710432',
  '7659821043',
  '8765932104',
  '9876543210',
]
const shuffled = ['0123456789', '1576283094', '5803796142', '8916043527', '9453126870', '4286573901', '2793806415', '7046913258']

export function aadhaar(chance: Chance): string {
  const body = `${chance.between(2, 9)}${chance.digits(10)}`
  for (const check of alphabet.digits) {
    const state = (body + check)
      .split('')
      .reverse()
      .reduce((c, digit, i) => Number(dihedral[c]![Number(shuffled[i % 8]![Number(digit)])]), 0)
    if (state === 0) return body + check
  }
  throw new Error('a check digit exists for each body')
}

export function tfn(chance: Chance): string {
  for (;;) {
    const number = String(chance.between(100_000_000, 999_999_999))
    if (sumOf(number, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0) return number
  }
}

function brazilian(values: readonly number[], most: number): number {
  const total = [...values].reverse().reduce((sum, value, i) => sum + value * (2 + (i % (most - 1))), 0)
  const rest = (total * 10) % 11
  return rest === 10 ? 0 : rest
}

function brazilianDigits(body: string, most: number): string {
  const values = body.split('').map(character => character.charCodeAt(0) - 48)
  const first = brazilian(values, most)
  return `${body}${first}${brazilian([...values, first], most)}`
}

export function cpf(chance: Chance): string {
  return brazilianDigits(chance.digits(9), 11)
}

export function cnpj(chance: Chance, withLetters: boolean): string {
  const root = withLetters ? chance.text(alphabet.capitals + alphabet.digits, 8) : chance.digits(8)
  return brazilianDigits(`${root}000${chance.between(1, 9)}`, 9)
}

export const printed = {
  cpf: (number: string): string => number.replace(/(...)(...)(...)(..)/, '$1.$2.$3-$4'),
  cnpj: (number: string): string => number.replace(/(..)(...)(...)(....)(..)/, '$1.$2.$3/$4-$5'),
  nino: (number: string): string => number.replace(/(..)(..)(..)(..)(.)/, '$1 $2 $3 $4 $5'),
  nir: (number: string): string => number.replace(/(.)(..)(..)(..)(...)(...)(..)/, '$1 $2 $3 $4 $5 $6 $7'),
}
