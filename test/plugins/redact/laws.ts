// Texts with values, look-alikes and odd spellings in them, and what looking for and masking of values owes each.
import { equal, ok } from 'node:assert/strict'
import fc from 'fast-check'
import { detectors, selectDetectors, usual } from '../../../plugins/redact/catalog.ts'
import { mayHoldEncoded } from '../../../plugins/redact/encoded.ts'
import { maskText, type Tally } from '../../../plugins/redact/masker.ts'
import { compileScanner, type Scanner } from '../../../plugins/redact/scanner.ts'
import type { Law } from '../../fuzz/law.ts'
import { cards, emails, ibans, lookalikes, secretValues, ssns } from './corpus.ts'

export const scanner: Scanner = compileScanner(detectors)
/** As the plugin asks: the bytes first. */
export const suspects = (json: string): boolean => scanner.glance(Buffer.from(json)) && scanner.screen(json)
const plain: readonly string[] = [...cards(), ...ssns(), ...ibans(), ...emails, ...secretValues().map(([, value]) => value)]
export const values: readonly string[] = [
  ...plain,
  'postgres://app:s3/cr3t"x\\y@db.example.com',
  'postgres://app:a"b@db.example.com',
  'mysql://root:top\\@db.example.com',
  'Server=db;Password=s3c"r3t;',
  'Bearer abc+/def456ghi789jkl==',
  'social security 123456789',
  'line\nssn 123456789',
  'DNI 12345678Z',
  'X1234567L',
  'nino AB123456C',
  'AB 12 34 56 C',
  '185052A00608497',
  'CPF 52998224725',
  '529.982.247-25',
  '12.ABC.345/01DE-35',
  'NHS 943 476 5919',
  '+49 (0)30 1234567',
  '+12125550123',
  '52.46.118.9',
  '2001:db8::8a2e:370:7334',
  '5e:1a:2b:3c:4d:5e',
  '5e1a.2b3c.4d5e',
  'SecretAccessKey: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  'abc8Q~abcdefghijkLMNOPqrstuvwxyz012345678a',
  '123456789:AAabcdefghijkLMNOPqrstuvwxyz0123456',
  'Basic dXNlcjpwYXNzd29yZA==',
]
const short: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '/': '\\/', '\n': '\\n', '\t': '\\t', '\r': '\\r' }

/** A JSON string that decodes to `text`; `choices` picks a spelling for each character. */
function spell(text: string, choices: readonly number[]): string {
  let i = 0
  const spelled = text.split('').map(character => {
    const choice = choices[i++ % choices.length]!
    const code = character.charCodeAt(0)
    if (choice === 0) return `\\u${code.toString(16).padStart(4, '0')}`
    if (character === '/' && choice % 2 === 0) return '/'
    return short[character] ?? (code < 0x20 ? `\\u${code.toString(16).padStart(4, '0')}` : character)
  })
  return `"${spelled.join('')}"`
}

const piece = fc.oneof(
  fc.constantFrom(
    ...values,
    ...lookalikes(),
    '4.111111111111111e15',
    '12345678.e5',
    '1e5',
    'AKIA',
    'ghp_',
    'eyJ',
    '://',
    '\\n',
    '\\\\',
    '\\u0041',
    '\\\\u0041',
    '\\/',
  ),
  fc.string({ unit: fc.constantFrom(...' aZ09-_.:/@=eE"\n\té„'.split('')), maxLength: 6 }),
  fc.stringMatching(/^[A-Z]?\d{1,6}[ -]{0,4}\d{0,6}$/),
)

/** A first look at the bytes never overlooks what the screen suspects. */
export const aLookOverlooksNothing: Law<string> = {
  input: fc
    .tuple(fc.array(piece, { maxLength: 8 }), fc.constantFrom('', ' ', '\\n', '"'))
    .map(([pieces, joint]) => `{"a":"${pieces.join(joint)}"}`),
  holds(json) {
    if (scanner.screen(json)) ok(scanner.glance(Buffer.from(json)))
  },
}

const around = fc.string({ unit: fc.constantFrom(...' aZ09-_.:/@\\"\n\té„'.split('')), maxLength: 8 })

export const noEscapeHidesAFinding: Law<{ readonly text: string; readonly choices: readonly number[] }> = {
  input: fc.record({
    text: fc.tuple(around, fc.constantFrom(...values), around).map(parts => parts.join('')),
    choices: fc.array(fc.nat(40), { minLength: 1, maxLength: 30 }),
  }),
  holds({ text, choices }) {
    const json = spell(text, choices)
    equal(JSON.parse(json), text)
    if (scanner.find(text, '').spans.length > 0) ok(suspects(`{"a":${json}}`))
  },
}

const usually = compileScanner(selectDetectors(usual, {}))

export const mask = (text: string, tally: Tally = new Map()): string => maskText(usually, text, '', tally)

const joints = fc.constantFrom(' ', '\n', ', ', '; ', '"', ' \u00e9 ', '\t')

export const noValueIsLeft: Law<readonly (readonly [value: string, joint: string])[]> = {
  input: fc.array(fc.tuple(fc.constantFrom(...plain), joints), { minLength: 1, maxLength: 6 }),
  holds(parts) {
    const tally: Tally = new Map()
    const masked = mask(parts.map(([value, joint]) => `<${value}>${joint}`).join(''), tally)
    for (const [value] of parts) ok(!masked.includes(value), value)
    equal(mask(masked), masked)
    equal(
      [...tally.values()].reduce((sum, by) => sum + by, 0),
      parts.length,
    )
  },
}

const fragment = fc.constantFrom(
  ...'4111-19@.a中\\"/: \u200b٤'.split(''),
  'AKIA',
  'sk-',
  'eyJ',
  '://',
  '@b.co',
  '4111111111111111',
  'Bearer ',
)

/** Any text at all is masked to something that has no finding left. */
export const isMaskedForGood: Law<string> = {
  input: fc.array(fragment, { maxLength: 60 }).map(pieces => pieces.join('')),
  holds(text) {
    const masked = mask(text)
    equal(mask(masked), masked)
  },
}

export const noEscapeHidesACode: Law<{ readonly value: string; readonly code: 'base64' | 'base64url' | 'hex'; readonly around: string }> = {
  input: fc.record({
    value: fc.constantFrom(...plain),
    code: fc.constantFrom('base64', 'base64url', 'hex'),
    around: fc.stringMatching(/^[ "\\\n\t\u00e9:,]{0,6}$/),
  }),
  holds({ value, code, around: beside }) {
    const text = `${beside}${Buffer.from(`it is ${value}`).toString(code)}${beside}`
    for (const json of [
      JSON.stringify({ text }),
      JSON.stringify({ text: JSON.stringify({ text }) }),
      JSON.stringify({ text }).replaceAll('/', '\\/'),
    ])
      ok(mayHoldEncoded(Buffer.from(json)), json)
  },
}
