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

// Fragments that made a scan start over at every character, if anything does.
const hostile = [
  '1',
  '1 ',
  '1111 ',
  '4111-',
  '12-',
  '@',
  'a@',
  'a@b.',
  'a.@',
  '://',
  '://a:',
  ':@',
  'x://u:p@',
  'eyJ',
  'eyJ-',
  'eyJ.',
  'eyJhbGciOiJIUzI1NiJ9.',
  'sk-',
  'sk-a_',
  'SG.',
  'AKIA',
  'xoxb-',
  'Bearer ',
  'Bearer a',
  '-----BEGIN ',
  '-----BEGIN PRIVATE KEY-----',
  'password=',
  'password=;',
  'DE89',
  'DE89 3704 ',
  'A1',
  '123456789 ',
  '123456789,',
  '٤',
  '\u200b',
  '\\"',
  '\\u',
  '\\\\',
]

test('work grows with the length of a text, whatever is repeated in it', () => {
  for (const fragment of hostile) {
    for (const work of [
      (text: string) => scanner.find(text, ''),
      (text: string) => scanner.screen(text),
      (text: string) => scanner.glance(Buffer.from(text)),
    ]) {
      const times = [10_000, 80_000].map(length => fastest(work, fragment.repeat(Math.ceil(length / fragment.length))))
      // Eight times the text: linear work takes about 8 times as long, quadratic 64 times. Below a millisecond is noise.
      expect(times[1]! / Math.max(times[0]!, 1), JSON.stringify(fragment)).toBeLessThan(32)
    }
  }
})

/** CPU time, ms: on a busy machine the time that passes says nothing of the work. */
function fastest(work: (text: string) => unknown, text: string): number {
  const times = [1, 2, 3].map(() => {
    const start = process.cpuUsage()
    work(text)
    const { user, system } = process.cpuUsage(start)
    return (user + system) / 1000
  })
  return Math.min(...times)
}
