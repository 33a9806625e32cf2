// Known secret values: found in every spelling, JSON stays JSON, and what is clean is not touched.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KnownSecrets } from '../../../core/secrets.ts'

const mark = '[SECRET github]'
function known(...values: string[]): KnownSecrets {
  const secrets = new KnownSecrets()
  for (const value of values) secrets.add('github', value)
  return secrets
}
function scrub(secrets: KnownSecrets, text: string): string {
  return Buffer.from(secrets.scrub(Buffer.from(text))).toString()
}
function escapeAll(text: string): string {
  return Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')
}
const percentAll = (text: string): string => [...Buffer.from(text)].map(byte => `%${byte.toString(16).padStart(2, '0')}`).join('')

const encodings: Record<string, (value: string) => string> = {
  raw: value => value,
  json: value => JSON.stringify(value),
  'json in json': value => JSON.stringify(JSON.stringify({ token: value })),
  'json with \\u escapes': value => `{"token":"${escapeAll(value)}"}`,
  'json with escaped slashes': value => JSON.stringify({ token: value }).replaceAll('/', '\\/'),
  base64: value => Buffer.from(value).toString('base64'),
  base64url: value => Buffer.from(value).toString('base64url'),
  hex: value => Buffer.from(value).toString('hex'),
  HEX: value => Buffer.from(value).toString('hex').toUpperCase(),
  'URL component': value => encodeURIComponent(value),
  'URL component, lower': value => encodeURIComponent(value).replace(/%../g, hit => hit.toLowerCase()),
  'URL form': value => new URLSearchParams({ v: value }).toString().slice(2),
  'URL path': value => encodeURIComponent(value).replaceAll('%2F', '/'),
  'URL as a whole': value => encodeURI(value),
  'every byte percent-encoded': percentAll,
  'EVERY BYTE PERCENT-ENCODED': value => percentAll(value).toUpperCase(),
}

// Values of real kinds: tokens, passphrases with any punctuation, connection strings, several lines, other scripts.
const secret = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9_+/=.-]{8,60}$/),
  fc.stringMatching(/^[ -~]{8,60}$/),
  fc
    .string({ unit: 'grapheme', minLength: 8, maxLength: 40 })
    .filter(value => Buffer.from(value).toString() === value && !value.includes('\0')),
  fc.constantFrom('postgres://u:p"q\\@h/db?x=1', '-----BEGIN KEY-----\nMIIabc/+==\n-----END KEY-----\n', 'pässwörd-ключ-密钥'),
)
// Characters that no encoding uses: surroundings that neither begin nor end a spelling by chance.
const surrounding = fc.stringMatching(/^[ <>|~]{0,20}$/)

describe('KnownSecrets', () => {
  for (const [name, encode] of Object.entries(encodings)) {
    it(`removes a value: ${name}`, () => {
      fc.assert(
        fc.property(secret, surrounding, surrounding, (value, before, after) => {
          const encoded = encode(value)
          const out = scrub(known(value), `${before} ${encoded} ${after}`)
          expect(out).not.toContain(encoded)
          expect(out).toContain(mark)
        }),
        { numRuns: 150 },
      )
    })
  }

  it('removes a value that stands anywhere in a base64-encoded whole, in both alphabets', () => {
    fc.assert(
      fc.property(
        secret,
        fc.uint8Array({ maxLength: 20 }),
        fc.uint8Array({ maxLength: 20 }),
        fc.constantFrom('base64', 'base64url'),
        (value, before, after, alphabet) => {
          const whole = Buffer.concat([before, Buffer.from(value), after]).toString(alphabet as 'base64')
          const out = scrub(known(value), `Authorization: Basic ${whole}`)
          expect(out).toContain(mark)
          // What is left decodes to nothing that holds four bytes of the value in a row.
          const rest = out.slice('Authorization: Basic '.length).split(mark)
          expect(rest.join('').length).toBeLessThanOrEqual(whole.length - Math.floor((Buffer.byteLength(value) * 8) / 6) + 2)
        },
      ),
    )
  })

  const scalar = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.double({ noDefaultInfinity: true, noNaN: true }),
    fc.boolean(),
    fc.constant(null),
  )
  it('keeps JSON JSON, whatever the value, and leaves no spelling in any of its strings', () => {
    fc.assert(
      fc.property(
        fc.oneof(secret, fc.stringMatching(/^[\\"nu0,:{}[\]]{8,16}$/), fc.stringMatching(/^[1-9][0-9]{8,12}$/)),
        fc.jsonValue(),
        fc.array(fc.tuple(fc.constantFrom(...Object.keys(encodings)), scalar, scalar), { minLength: 1, maxLength: 4 }),
        (value, other, spellings) => {
          const tree = {
            jsonrpc: '2.0',
            id: 1,
            result: {
              other,
              items: spellings.map(([name, a, b]) => ({ [`${a}`]: `${a}${encodings[name]!(value)}${b}` })),
              number: Number(value),
            },
          }
          const text = JSON.stringify(tree)
          const out = scrub(known(value), text)
          const parsed = JSON.parse(out) as typeof tree
          expect(Object.keys(parsed)).toEqual(['jsonrpc', 'id', 'result'])
          expect(parsed.result.items).toHaveLength(spellings.length)
          const strings: string[] = []
          JSON.parse(out, (key, node: unknown) => {
            strings.push(key, typeof node === 'string' ? node : typeof node === 'number' ? `${node}` : '')
            return node
          })
          for (const found of strings) expect(found).not.toContain(value)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('hands clean bytes and texts back as the same object', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.json(), (bytes, json) => {
        const secrets = known('sk_live_4eC39HqLyjWDarjtT1zdp7dc', 'ключ-от-всего')
        expect(secrets.scrub(bytes)).toBe(bytes)
        const text = Buffer.from(json)
        expect(secrets.scrub(text)).toBe(text)
        expect(secrets.scrubText(json)).toBe(json)
      }),
    )
    const escaped = Buffer.from('{"html":"\\u003cb\\u003e","path":"a\\/b"}')
    expect(known('a-long-secret/value').scrub(escaped)).toBe(escaped)
  })

  it('changes nothing but the strings that hold a value', () => {
    const text = '{"n": 1.0, "big":9007199254740993 ,"t":"x sk_live_12345678 y","u":"\\u0041\\/","n":-0}'
    expect(scrub(known('sk_live_12345678'), text)).toBe(text.replace('sk_live_12345678', mark))
  })

  it('does not mistake an escape for a letter of the value', () => {
    const text = '{"a":"line\\nabcdefghij","b":"\\u0041bcdefgh1"}'
    expect(scrub(known('nabcdefghij', '0041bcdefgh1'), text)).toBe(text)
    expect(JSON.parse(scrub(known('abcdefgh\\'), '{"a":"abcdefgh\\\\","b":"abcdefgh\\"x"}'))).toEqual({ a: mark, b: 'abcdefgh"x' })
  })

  it('replaces a number that spells a value by a string', () => {
    expect(JSON.parse(scrub(known('4929123456781234'), '{"pin":4929123456781234,"n":[1,-2.5e3]}'))).toEqual({ pin: mark, n: [1, -2500] })
  })

  it('names the server of each value, and leaves nothing of values that overlap', () => {
    const secrets = new KnownSecrets()
    secrets.add('one', 'abcdefghij')
    secrets.add('two "\\', 'fghijklmnop')
    expect(secrets.scrubText('x abcdefghij, fghijklmnop, abcdefghijklmnop y')).toBe('x [SECRET one], [SECRET two___], [SECRET one] y')
  })

  it('refuses values below eight bytes instead of shredding texts', () => {
    const secrets = new KnownSecrets()
    expect(secrets.add('github', 'seven77')).toBe(false)
    expect(secrets.scrubText('seven77')).toBe('seven77')
    expect(secrets.add('github', 'eight888')).toBe(true)
    expect(secrets.scrubText('eight888')).toBe(mark)
  })

  it('finds values of very different lengths side by side', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z0-9]{8,600}$/), { minLength: 2, maxLength: 12 }),
        fc.nat(),
        surrounding,
        (values, pick, around) => {
          const value = values[pick % values.length]!
          expect(known(...values).scrubText(`${around}-${value}-${around}`)).not.toContain(value)
        },
      ),
    )
  })

  it('undoes escapes in a log line only where they hid a value', () => {
    const secrets = known('hunter2-hunter2')
    expect(secrets.scrubText(`INFO got {"a":"\\n","t":"${escapeAll('hunter2-hunter2')}"}`)).toContain(mark)
    expect(secrets.scrubText('INFO C:\\new \\u0041')).toBe('INFO C:\\new \\u0041')
  })
})
