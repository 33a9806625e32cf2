// Values in another code: base64, hex, percent-encoded, one within the other; and what only looks like it.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mayHoldEncoded } from '../../../plugins/redact/encoded.ts'
import { hold } from '../../fuzz/law.ts'
import { cards, emails, ibans, lookalikes, secretValues, ssns } from './corpus.ts'
import { noEscapeHidesACode } from './laws.ts'
import { exchangeOf, notify, openStage, request, respond } from './stage.ts'

const stage = await openStage()
const card = '4111111111111111'
const base64 = (text: string): string => Buffer.from(text).toString('base64')

async function masked(text: string): Promise<string> {
  const json = await request(stage, exchangeOf(JSON.stringify({ arguments: { text } })))
  return json === 'pass' ? text : (JSON.parse(json!) as { arguments: { text: string } }).arguments.text
}

const codes: Record<string, { encode(text: string): string; decode(text: string): string }> = {
  base64: { encode: base64, decode: text => Buffer.from(text, 'base64').toString() },
  'base64 without padding': { encode: text => base64(text).replace(/=+$/, ''), decode: text => Buffer.from(text, 'base64').toString() },
  base64url: {
    encode: text => Buffer.from(text).toString('base64url'),
    decode: text => Buffer.from(text, 'base64url').toString(),
  },
  hex: { encode: text => Buffer.from(text).toString('hex'), decode: text => Buffer.from(text, 'hex').toString() },
  HEX: { encode: text => Buffer.from(text).toString('hex').toUpperCase(), decode: text => Buffer.from(text, 'hex').toString() },
  'base64 in base64': {
    encode: text => base64(base64(text)),
    decode: text => Buffer.from(Buffer.from(text, 'base64').toString(), 'base64').toString(),
  },
  percent: { encode: encodeURIComponent, decode: decodeURIComponent },
  'percent, every byte': {
    encode: text => [...Buffer.from(text)].map(byte => `%${byte.toString(16).padStart(2, '0')}`).join(''),
    decode: decodeURIComponent,
  },
  'percent, twice': {
    encode: text => encodeURIComponent(encodeURIComponent(text)),
    decode: text => decodeURIComponent(decodeURIComponent(text)),
  },
}
const values = [...cards().slice(0, 5), ...ssns(), ...ibans().slice(0, 5), ...emails, ...secretValues().map(([, value]) => value)]
const frames = ['@', 'see @ there', '"@"', 'Basic @', 'x=@;', 'line\n@\nline', '(@)', 'data:text/plain;base64,@', '\u00e9 @ \u4e2d']
// An escape of raw JSON text, or none.
const spellings: ((json: string) => string)[] = [
  json => json,
  json => json.replaceAll('/', '\\/'),
  json => json.replaceAll('=', '\\u003d').replaceAll('%', '\\u0025').replaceAll('+', '\\u002b'),
]

for (const [name, { encode, decode }] of Object.entries(codes)) {
  test(`a value in ${name} is found, and what stands in its place is in the same code`, async () => {
    for (const value of values) {
      for (const [i, frame] of frames.entries()) {
        const inner = `note: ${value} \u00fc ok`
        const whole = frame.replace('@', () => encode(inner))
        const json = spellings[i % spellings.length]!(JSON.stringify({ arguments: { text: whole } }))
        const out = JSON.parse((await request(stage, exchangeOf(json)))!) as { arguments: { text: string } }
        const [before = '', after = ''] = frame.split('@')
        const { text } = out.arguments
        expect(text.startsWith(before) && text.endsWith(after), whole).toBe(true)
        const shown = decode(text.slice(before.length, text.length - after.length))
        expect(shown, whole).toMatch(/^note: .* \u00fc ok$/s)
        expect(shown).not.toContain(value)
      }
    }
  })
}

test('of a form, of a url and of a JSON document in base64 only the value changes', async () => {
  expect(await masked('card=4111+1111+1111+1111&next=1')).toBe('card=****+****+****+1111&next=1'.replaceAll('+', ' '))
  expect(await masked('https://x.example/?to=ann%40example.com&n=1%202')).toBe('https://x.example/?to=%5BEMAIL%5D&n=1%202')
  expect(Buffer.from(await masked(base64(`{"n":${card},"to":"ann@example.com","ok":[1.50]}`)), 'base64').toString()).toBe(
    '{"n":0,"to":"[EMAIL]","ok":[1.50]}',
  )
})

test('text in blobs and data is masked within its base64, whatever its type says; a picture stays', async () => {
  const csv = `name,mail\nann,ann@example.com\n`
  const picture = Buffer.from([0x89, 0x50, 0x4e, 0x47, ...Buffer.from(csv)]).toString('base64')
  const contents = [
    { uri: 'a://b', mimeType: 'text/csv', blob: base64(csv) },
    { uri: 'a://c', mimeType: 'application/octet-stream', blob: base64(csv) },
    { uri: 'a://d', mimeType: 'image/png', blob: picture },
    { uri: 'a://e', blob: base64('ann@example.com') },
  ]
  const out = JSON.parse((await respond(stage, JSON.stringify({ contents })))!) as { contents: { blob: string }[] }
  expect(out.contents.map(({ blob }) => (blob === picture ? 'picture' : Buffer.from(blob, 'base64').toString()))).toEqual([
    'name,mail\nann,[EMAIL]\n',
    'name,mail\nann,[EMAIL]\n',
    'picture',
    '[EMAIL]',
  ])
})

test('what was found inside is counted by its type, and blocks where that type does', async () => {
  const own = await openStage({ actions: { card: 'block' } })
  await request(own, exchangeOf(JSON.stringify({ arguments: { a: base64('to: ann@example.com, bob@example.com') } })))
  expect(Object.fromEntries(own.counted)).toEqual({ email: 2 })
  expect(await request(own, exchangeOf(JSON.stringify({ arguments: { a: base64(`pay ${card}`) } })))).toBe('redaction-blocked')
  expect(
    await notify(
      own,
      'notifications/message',
      JSON.stringify({ level: 'info', data: encodeURIComponent(`pay ${card} é`) }),
      exchangeOf('{}'),
    ),
  ).toBe('drop')
})

test('identifiers, hashes, pictures, paths and long words are neither suspected nor touched', async () => {
  const random = (length: number, code: 'hex' | 'base64' | 'base64url') =>
    fc.uint8Array({ minLength: length, maxLength: length }).map(bytes => Buffer.from(bytes).toString(code))
  const word = fc.oneof(
    random(20, 'hex'),
    random(32, 'hex'),
    random(64, 'base64'),
    random(48, 'base64url'),
    fc.uuid(),
    fc.constantFrom(
      'structuredContent',
      '/usr/local/share/applications/example',
      'notificationsResourcesUpdated',
      'SCREAMING_SNAKE_CASE_NAME',
    ),
    fc.constantFrom(...lookalikes().filter(text => !/eyJ|%/.test(text))),
  )
  let suspected = 0
  await fc.assert(
    fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 8 }), async words => {
      const text = words.join(' ')
      expect(await masked(text)).toBe(text)
      if (mayHoldEncoded(Buffer.from(JSON.stringify({ text })))) suspected++
    }),
    { numRuns: 300 },
  )
  expect(suspected).toBeLessThan(15)
})

test('no escape of JSON text hides an encoded value from the first look', () => hold(noEscapeHidesACode, { numRuns: 1000 }))

test('work grows with the length of a text, whatever is repeated in it', async () => {
  for (const fragment of [
    'a',
    'A/',
    'Ab+',
    'QUJD',
    'QUJDREVGR0hJSktM ',
    '414243',
    '%41',
    '%25',
    '%2',
    'a-_/+',
    '\\/',
    'a\\n',
    '+1',
    '111+',
    '%c3%28',
  ]) {
    const times: number[] = []
    for (const length of [10_000, 80_000]) {
      const json = JSON.stringify({ arguments: { text: fragment.repeat(Math.ceil(length / fragment.length)) } })
      const runs = []
      for (let round = 0; round < 3; round++) {
        const before = process.cpuUsage()
        await request(stage, exchangeOf(json))
        const { user, system } = process.cpuUsage(before)
        runs.push((user + system) / 1000)
      }
      times.push(Math.min(...runs))
    }
    expect(times[1]! / Math.max(times[0]!, 1), fragment).toBeLessThan(32)
  }
})
