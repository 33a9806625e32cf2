// What the strict scan refuses, with which code and at which byte.
import { describe, expect, test } from 'vitest'
import { isFault, Json, type JsonFault, type JsonLimits } from '../../../../core/mcp/json.ts'

const limits: JsonLimits = { bytes: 1000, depth: 5, keys: 10 }

function refused(input: string | Uint8Array, within?: JsonLimits): JsonFault {
  const json = Json.scan(typeof input === 'string' ? Buffer.from(input) : input, within)
  if (!isFault(json)) throw new Error('accepted')
  return json
}

describe('scan refuses', () => {
  test.each([
    ['nothing', '', 0],
    ['white space alone', ' \n', 2],
    ['a byte order mark', '\ufeff{}', 0],
    ['a second value', '{} {}', 3],
    ['a form feed as white space', '\f{}', 0],
    ['a trailing comma', '[1,]', 3],
    ['a missing colon', '{"a" 1}', 5],
    ['a bare key', '{a:1}', 1],
    ['a comment', '{/**/}', 1],
    ['mixed brackets', '[1}', 2],
    ['a leading zero', '[01]', 2],
    ['a leading plus', '+1', 0],
    ['a number ending in a point', '[1.]', 3],
    ['a bare point', '.5', 0],
    ['an exponent without digits', '1e+', 3],
    ['a lone minus', '-', 1],
    ['hexadecimal', '0x10', 1],
    ['NaN', 'NaN', 0],
    ['a word in capitals', 'True', 0],
    ['a cut word', 'nul', 3],
    ['an unclosed string', '"abc', 4],
    ['an unclosed object', '{"a":1', 6],
    ['a line feed in a string', '"a\nb"', 2],
    ['a NUL in a string', '"\0"', 1],
    ['an unknown escape', '"\\x41"', 2],
    ['a short unicode escape', '"\\u12g4"', 5],
    ['a control character in a key', '{"a\tb":1}', 3],
  ])('%s', (_what, text, offset) => {
    expect(refused(text)).toMatchObject({ code: 'parse-error', offset })
  })

  test.each([
    ['alone', '"\\ud800"'],
    ['low before high', '"\\udc00\\ud800"'],
    ['high twice', '"\\ud83d\\ud83d\\ude00"'],
    ['before a letter', '"\\ud83dx"'],
    ['in a key', '{"\\udead":1}'],
  ])('a surrogate escape %s', (_what, text) => {
    expect(refused(text).code).toBe('parse-error')
  })

  test.each([
    ['a stray continuation byte', [0x22, 0x80, 0x22]],
    ['an overlong form', [0x22, 0xc0, 0xa2, 0x22]],
    ['a surrogate in UTF-8', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['a cut sequence', [0x22, 0xe2, 0x82, 0x22]],
    ['UTF-16', [0x22, 0x00, 0x61, 0x00, 0xff]],
  ])('%s', (_what, bytes) => {
    expect(refused(Uint8Array.from(bytes))).toMatchObject({ code: 'parse-error', message: 'not UTF-8' })
  })

  test.each([
    ['at the root', '{"a":1,"b":2,"a":3}', 14],
    ['with the same value', '{"a":1,"a":1}', 8],
    ['written with an escape', '{"method":1,"m\\u0065thod":2}', 13],
    ['both written with escapes', '{"\\u0061":1,"\\u0061":2}', 13],
    ['beyond ASCII', '{"ä":1,"\\u00e4":2}', 9],
    ['the empty key', '{"":1,"":2}', 7],
    ['__proto__', '{"__proto__":1,"__proto__":2}', 16],
    ['in params', '{"params":{"name":1,"name":2}}', 21],
    ['inside an array', '[[{"a":1,"a":2}]]', 10],
    ['at depth 10', `${'{"x":'.repeat(9)}{"a":1,"a":2}${'}'.repeat(9)}`, 53],
  ])('a key twice: %s', (_what, text, offset) => {
    expect(refused(text)).toEqual({ code: 'parse-error', offset, message: 'duplicate key' })
  })

  test('a key twice among thousands', () => {
    const members = Array.from({ length: 5000 }, (_, i) => `"key${i}":${i}`)
    expect(isFault(Json.scan(Buffer.from(`{${members.join()}}`)))).toBe(false)
    expect(refused(`{${members.join()},"key2345":0}`).message).toBe('duplicate key')
    expect(refused(`{${members.join()},"k\\u0065y2345":0}`).message).toBe('duplicate key')
  })

  test('every byte that needs it, wherever it stands in a long string', () => {
    for (let byte = 0; byte < 256; byte++) {
      const plain = byte >= 0x20 && byte !== 0x22 && byte !== 0x5c && byte < 0x80
      for (let at = 0; at < 16; at++) {
        const bytes = Buffer.alloc(3000, 'x')
        bytes[0] = 0x22
        bytes[2999] = 0x22
        bytes[1500 + at] = byte
        expect(isFault(Json.scan(bytes)), `byte ${byte} at ${at}`).toBe(!plain)
      }
    }
  })

  test('more bytes than the limit', () => {
    expect(refused(`"${'x'.repeat(999)}"`, limits)).toMatchObject({ code: 'too-large', offset: 1000 })
    expect(isFault(Json.scan(Buffer.from(`"${'x'.repeat(998)}"`), limits))).toBe(false)
  })

  test('more levels than the limit, empty containers included', () => {
    expect(refused('[[[[[[]]]]]]', limits)).toMatchObject({ code: 'too-deep', offset: 5 })
    expect(refused('[{"a":[{"b":[{}]}]}]', limits).code).toBe('too-deep')
    expect(isFault(Json.scan(Buffer.from('[[[[[]]]]]'), limits))).toBe(false)
  })

  test('more keys than the limit over all objects', () => {
    const ten = '[{"a":1,"b":2,"c":3,"d":4,"e":5},{"a":1,"b":2,"c":3,"d":4,"e":5}'
    expect(isFault(Json.scan(Buffer.from(`${ten}]`), limits))).toBe(false)
    expect(refused(`${ten},{"a":1}]`, limits).code).toBe('too-large')
  })

  test('20,000 levels, also where the limit would let them through', () => {
    for (const depth of [64, 100_000]) {
      const within = { bytes: 1e6, depth, keys: 1e6 }
      expect(refused('['.repeat(20_000) + ']'.repeat(20_000), within).code).toBe('too-deep')
      expect(refused('{"a":'.repeat(20_000), within).code).toBe('too-deep')
    }
  })
})
