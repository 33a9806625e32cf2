// The cheap look at the JSON text: it may suspect too much, but it never overlooks, and it stays linear.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { detectors } from '../../../plugins/redact/catalog.ts'
import { compileScanner } from '../../../plugins/redact/scanner.ts'
import { cards, emails, ibans, lookalikes, secretValues, ssns } from './corpus.ts'

const scanner = compileScanner(detectors)
/** As the plugin asks: the bytes first. */
const suspects = (json: string): boolean => scanner.glance(Buffer.from(json)) && scanner.screen(json)
const values = [
  ...cards(),
  ...ssns(),
  ...ibans(),
  ...emails,
  ...secretValues().map(([, value]) => value),
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

test('a first look at the bytes never overlooks what the screen suspects', () => {
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
  let suspected = 0
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), fc.constantFrom('', ' ', '\\n', '"'), (pieces, joint) => {
      const json = `{"a":"${pieces.join(joint)}"}`
      if (!scanner.screen(json)) return
      suspected += 1
      expect(scanner.glance(Buffer.from(json))).toBe(true)
    }),
    { numRuns: 3000 },
  )
  expect(suspected).toBeGreaterThan(300)
  for (const value of values) expect(scanner.glance(Buffer.from(JSON.stringify({ text: value })))).toBe(true)
})

test('whatever escapes a JSON text uses, a finding in a decoded string is suspected', () => {
  const around = fc.string({ unit: fc.constantFrom(...' aZ09-_.:/@\\"\n\té„'.split('')), maxLength: 8 })
  fc.assert(
    fc.property(
      around,
      fc.constantFrom(...values),
      around,
      fc.array(fc.nat(40), { minLength: 1, maxLength: 30 }),
      (before, value, after, choices) => {
        const text = before + value + after
        const json = spell(text, choices)
        expect(JSON.parse(json)).toBe(text)
        if (scanner.find(text, '').spans.length > 0) expect(suspects(`{"a":${json}}`)).toBe(true)
      },
    ),
    { numRuns: 4000 },
  )
})

test('a domain in letters beyond ASCII is suspected where they are escaped, as many serialisers write them', () => {
  for (const address of ['jos\u00e9@ex\u00e4mple.de', 'ann@b\u00fccher.example', 'ann@\u00e4.de', 'ann@sub.ex-\u00e4.de']) {
    const escaped = JSON.stringify({ a: `  ${address} ` }).replace(
      /[\u0080-\uffff]/g,
      unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
    expect(scanner.find(address, '').spans).toHaveLength(1)
    expect(scanner.screen(escaped)).toBe(true)
    expect(scanner.screen(JSON.stringify({ a: address }))).toBe(true)
  }
})

test('an escape inside a JSON document that is itself a string is suspected', () => {
  expect(suspects(JSON.stringify({ text: '{"a":"ann\\u0040example.com"}' }))).toBe(true)
})

test('numbers are suspected however they are written', () => {
  for (const number of [
    '4111111111111111',
    '-4111111111111111',
    '41111111.11111111e8',
    '4111111111111111.0',
    '4.111111111111111e15',
    '41111111111111110e-1',
    '4.111111111111111E+15',
  ]) {
    expect(suspects(`{"a":${number}}`)).toBe(true)
  }
})

test('ordinary traffic passes without a second look', () => {
  const clean = lookalikes().filter(
    text => !/^(?:eyJ|SG|4111|\*|-{5}|https:\/\/user@)/.test(text) && scanner.find(text, '').spans.length === 0,
  )
  const suspected = clean.filter(text =>
    suspects(JSON.stringify({ content: [{ type: 'text', text: JSON.stringify({ a: text, b: 'line\n"two"' }) }] })),
  )
  expect(suspected).toEqual([])
  expect(suspects(JSON.stringify({ text: 'Grüße aus Köln, „naïve“ 邮箱 \u2014 fin' }))).toBe(false)
  expect(suspects('{"text":"caf\\u00e9 \\u003cb\\u003e \\u4e2d"}')).toBe(false)
})

const { hostile } = (await import(new URL('../../fixtures/redact/hostile.mjs', import.meta.url).href)) as { hostile: readonly string[] }

// Eight times the text: linear work takes about 8 times as long, quadratic 64 times. Below a millisecond is noise.
const sizes = [8000, 64_000] as const
const mostRatio = 32
const attempts = 5

test('work grows with the length of a text, whatever is repeated in it', { timeout: 120_000 }, () => {
  for (const fragment of hostile) {
    const texts = sizes.map(size => fragment.repeat(Math.ceil(size / fragment.length)))
    for (const work of [
      (text: string) => scanner.find(text, ''),
      (text: string) => scanner.screen(text),
      (text: string) => scanner.glance(Buffer.from(text)),
    ]) {
      const ratio = (): number => cpuTime(work, texts[1]!) / Math.max(cpuTime(work, texts[0]!), 1)
      // On a busy machine one measurement may be anything; quadratic work never gets through.
      const best = Array.from({ length: attempts }).reduce<number>(least => (least < mostRatio ? least : Math.min(least, ratio())), ratio())
      expect(best, JSON.stringify(fragment)).toBeLessThan(mostRatio)
    }
  }
})

/** ms: on a busy machine the time that passes says nothing of the work. */
function cpuTime(work: (text: string) => unknown, text: string): number {
  const start = process.cpuUsage()
  work(text)
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}
