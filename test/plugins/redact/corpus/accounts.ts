// Cards, bank accounts and routing numbers, made from public descriptions of their formats: no table or check of the plugin is used.
import { alphabet, type Chance } from './random.ts'

/** Prefixes of cards as networks hand them to shops, with the total lengths that are in use. */
const networks: readonly (readonly [prefix: string, ...lengths: number[]])[] = [
  ['4', 13, 16, 19],
  ['4929', 16],
  ['51', 16],
  ['55', 16],
  ['2221', 16],
  ['2720', 16],
  ['34', 15],
  ['37', 15],
  ['300', 14],
  ['3095', 14],
  ['36', 14],
  ['38', 14, 16],
  ['6011', 16, 19],
  ['644', 16],
  ['649', 16],
  ['65', 16],
  ['3528', 16],
  ['3589', 16, 19],
  ['62', 16, 17, 18, 19],
  ['81', 16],
  ['5018', 16, 18],
  ['5020', 12, 16, 19],
  ['6304', 16, 18, 19],
  ['6759', 16, 19],
  ['6763', 13, 16],
  ['2200', 16, 19],
  ['2204', 16],
  ['508', 16],
  ['6069', 16],
  ['506699', 16],
  ['509000', 16],
  ['636368', 16],
  ['637095', 16],
  ['5019', 16],
  ['9792', 16],
]
const doubled = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]

/** The last digit that makes the Luhn sum a multiple of ten. */
export function luhnDigit(body: string): string {
  let sum = 0
  for (let i = 1; i <= body.length; i++) {
    const digit = Number(body[body.length - i])
    sum += i % 2 === 1 ? doubled[digit]! : digit
  }
  return String((1000 - sum) % 10)
}

/** Every network, every length of it. */
export function cards(chance: Chance): string[] {
  return networks.flatMap(([prefix, ...lengths]) =>
    lengths.map(length => {
      const body = prefix + chance.digits(length - prefix.length - 1)
      return body + luhnDigit(body)
    }),
  )
}

export function splitAt(number: string, sizes: readonly number[]): string[] {
  let rest = number
  return sizes.map(size => {
    const group = rest.slice(0, size)
    rest = rest.slice(size)
    return group
  })
}

/** As printed. */
export function grouped(number: string, separator: string): string {
  const sizes = number.length === 15 ? [4, 6, 5] : number.length === 14 ? [4, 6, 4] : [4, 4, 4, 4, 4]
  return splitAt(number, sizes)
    .filter(group => group !== '')
    .join(separator)
}

/** Countries by the length of their IBAN, as national banks publish it. */
const byLength: Readonly<Record<number, string>> = {
  15: 'NO',
  16: 'BE',
  18: 'DK FI FK FO GL NL SD',
  19: 'MK SI',
  20: 'AT BA EE KZ LT LU MN XK',
  21: 'CH HR LI LV',
  22: 'BG BH CR DE GB GE IE ME RS VA',
  23: 'AE GI IL IQ OM SO TL',
  24: 'AD CZ ES MD PK RO SA SE SK TN VG',
  25: 'LY PT ST',
  26: 'IS TR',
  27: 'BI DJ FR GR IT MC MR SM',
  28: 'AL AZ BY CY DO GT HN HU LB NI PL SV',
  29: 'BR EG PS QA UA',
  30: 'JO KW MU YE',
  31: 'MT SC',
  32: 'LC',
  33: 'RU',
}

export function ibans(chance: Chance): string[] {
  return Object.entries(byLength).flatMap(([length, countries]) =>
    countries.split(' ').map(country => {
      const size = Number(length) - 4
      const letters = chance.below(3) === 0 ? chance.text(alphabet.capitals, 4) : ''
      const account = letters + chance.digits(size - letters.length)
      return country + checkDigits(country, account) + account
    }),
  )
}

/** 98 less the rest of the number by 97, where letters count 10 to 35 (ISO 13616). */
function checkDigits(country: string, account: string): string {
  const spelled = `${account}${country}00`.replace(/[A-Z]/g, letter => String(Number.parseInt(letter, 36)))
  return String(98n - (BigInt(spelled) % 97n)).padStart(2, '0')
}

export function routingNumber(chance: Chance): string {
  const bank = chance.from(['02', '11', '12', '21', '26', '31', '32', '61', '72', '80']) + chance.digits(6)
  for (let check = 0; ; check++) {
    const [a, b, c, d, e, f, g, h] = bank.split('').map(Number) as number[]
    const total = 3 * (a! + d! + g!) + 7 * (b! + e! + h!) + (c! + f! + check)
    if (total % 10 === 0) return bank + check
  }
}
