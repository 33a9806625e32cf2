// Values that must be found, each in a text that a tool could return.
import { cards, grouped, ibans, routingNumber, splitAt } from './accounts.ts'
import * as national from './national.ts'
import { type Chance, createChance } from './random.ts'
import { secretForms } from './secrets.ts'

export interface Positive {
  /** The detector that must name it. */
  readonly id: string
  readonly text: string
  /** Name of the member that holds the text. */
  readonly key: string
  readonly start: number
  readonly end: number
}

const general = [
  '@',
  '"@"',
  'pay with @, please',
  'that was @.',
  '(@)',
  'first\n@\nlast',
  'x: @',
  'a;@;b',
  '{"value":"@"}',
  '<b>@</b>',
  '\t@\t',
  '[@]',
]
const around = (...names: string[]): readonly string[] =>
  names.flatMap(name => [`${name}: @`, `"${name}": "@"`, `the ${name} is @.`, `${name} @, thanks`])

const each = 160
const { printed } = national
const spaced = (number: string, ...sizes: number[]): string => splitAt(number, sizes).join(' ')
const maybe = (chance: Chance, ...forms: string[]): string => chance.from(forms)

type Maker = readonly [id: string, frames: readonly string[], make: (chance: Chance) => string]

const makers: readonly Maker[] = [
  ['ssn', general, national.ssn],
  ['ssn', around('SSN', 'social security number', 'patient_ssn', 'ssn'), c => national.ssn(c).replaceAll('-', c.from(['', ' ']))],
  ['itin', general, national.itin],
  ['itin', around('ITIN', 'itin'), c => national.itin(c).replaceAll('-', '')],
  ['aba', around('routing number', 'ABA', 'routing_number', 'RTN'), routingNumber],
  ['npi', around('NPI', 'npi', 'provider NPI'), national.npi],
  ['nhs', around('NHS number', 'nhs_number', 'NHS no'), c => maybe(c, national.nhs(c), spaced(national.nhs(c), 3, 3, 4))],
  ['nino', general, c => printed.nino(national.nino(c))],
  ['nino', around('National Insurance number', 'NINO', 'nino'), national.nino],
  [
    'de-tax-id',
    around('Steuer-ID', 'steuerliche Identifikationsnummer', 'IdNr', 'tax id'),
    c => maybe(c, national.germanTaxId(c), spaced(national.germanTaxId(c), 2, 3, 3, 3)),
  ],
  ['es-nif', around('DNI', 'NIF', 'documento de identidad'), c => maybe(c, national.nif(c), national.nif(c).replace(/.$/, '-$&'))],
  ['es-nif', general, national.nie],
  ['fr-nir', general, c => maybe(c, national.nir(c), printed.nir(national.nir(c)))],
  ['nl-bsn', around('BSN', 'burgerservicenummer', 'bsn'), national.bsn],
  ['pl-pesel', around('PESEL', 'pesel', 'numer PESEL'), national.pesel],
  [
    'in-aadhaar',
    around('Aadhaar', 'aadhaar_number', 'Aadhaar number'),
    c => maybe(c, national.aadhaar(c), spaced(national.aadhaar(c), 4, 4, 4)),
  ],
  ['au-tfn', around('TFN', 'tax file number', 'tfn'), c => maybe(c, national.tfn(c), spaced(national.tfn(c), 3, 3, 3))],
  ['br-cpf', general, c => printed.cpf(national.cpf(c))],
  ['br-cpf', around('CPF', 'cpf'), national.cpf],
  ['br-cnpj', general, c => printed.cnpj(national.cnpj(c, c.below(3) === 0))],
  ['br-cnpj', around('CNPJ', 'cnpj'), c => national.cnpj(c, false)],
  [
    'email',
    general,
    c => `${word(c)}${c.from(['.', '_', '+', '-'])}${word(c)}@${word(c)}.${c.from(['com', 'org', 'co.uk', 'museum', 'dev'])}`,
  ],
  ['phone', general, phone],
  ['ip', general, c => [c.from([10, 52, 172, 192, 203]), c.below(256), c.below(256), c.between(1, 254)].join('.')],
  ['ip', general, c => `2001:db8:${c.below(65_535).toString(16)}::${c.between(1, 65_535).toString(16)}:${c.between(1, 9)}`],
  [
    'mac',
    general,
    c =>
      Array.from({ length: 6 }, () => c.text('0123456789abcdef', 2))
        .join(':')
        .replace(/^../, '5e'),
  ],
  ['mac', general, c => `${Array.from({ length: 5 }, () => c.text('0123456789ABCDEF', 2)).join('-')}-5E`],
]

/** At least 5,000 over all detectors. */
export function positives(seed: number): Positive[] {
  const chance = createChance(seed)
  const found: Positive[] = []
  const add = (id: string, frames: readonly string[], value: string): void => {
    const frame = chance.from(frames)
    const start = frame.indexOf('@')
    found.push({ id, text: frame.slice(0, start) + value + frame.slice(start + 1), key: '', start, end: start + value.length })
  }
  for (let i = 0; i < 12; i++) {
    for (const card of cards(chance)) add('card', general, maybe(chance, card, grouped(card, ' '), grouped(card, '-')))
    for (const iban of ibans(chance)) add('iban', general, maybe(chance, iban, iban.replace(/.{4}(?=.)/g, '$& ')))
  }
  for (const [id, frames, make] of makers) for (let i = 0; i < each; i++) add(id, frames, make(chance))
  for (const { id, make, frames } of secretForms) for (let i = 0; i < 100; i++) add(id, frames ?? general, make(chance))
  return found
}

function word(chance: Chance): string {
  return chance.text('abcdefghijklmnopqrstuvwxyz', chance.between(2, 9))
}

function phone(chance: Chance): string {
  return chance.from([
    () => `+1${chance.between(2, 9)}${chance.digits(2)}${chance.between(2, 9)}${chance.digits(6)}`,
    () => `+1 (${chance.between(2, 9)}${chance.digits(2)}) ${chance.between(2, 9)}${chance.digits(2)}-${chance.digits(4)}`,
    () => `+44 20 7${chance.digits(3)} ${chance.digits(4)}`,
    () => `+49 (0)30 ${chance.between(1, 9)}${chance.digits(6)}`,
    () => `+86 138 ${chance.digits(4)} ${chance.digits(4)}`,
    () => `+33${chance.between(1, 9)}${chance.digits(8)}`,
    () => `+39 06 ${chance.digits(8)}`,
    () => `+91-${chance.between(6, 9)}${chance.digits(9)}`,
    () => `+420 ${chance.between(2, 9)}${chance.digits(2)} ${chance.digits(3)} ${chance.digits(3)}`,
    () => `+971 50 ${chance.digits(3)} ${chance.digits(4)}`,
  ])()
}
