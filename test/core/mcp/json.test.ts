// The JSON type: what is refused, what stays byte for byte, and what lookups and edits promise.
import { describe, expect, test } from 'vitest'
import { isFault, Json, type JsonFault, type JsonLimits } from '../../../core/mcp/json.ts'
import { ExactNumber, type JsonObject, type JsonValue } from '../../../core/plugin/index.ts'

const limits: JsonLimits = { bytes: 1000, depth: 5, keys: 10 }

function scanned(text: string): Json {
  const json = Json.scan(Buffer.from(text))
  if (isFault(json)) throw new Error(`${json.message} at ${json.offset}`)
  return json
}

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

describe('a value', () => {
  test('keeps numbers that JavaScript would change as text', () => {
    const texts = ['9007199254740993', '1.0', '-0', '1e400', '1E3', '0.10', '1e-7', '123456789012345678901234567890', '1e21', '-0.0']
    const value = scanned(`[${texts.join()}]`).value as readonly JsonValue[]
    expect(value).toEqual(texts.map(text => (text === '1e-7' ? 1e-7 : new ExactNumber(text))))
    expect(Json.of(value).text).toBe(`[${texts.join()}]`)
  })

  test('has plain numbers where JavaScript prints the same text', () => {
    expect(scanned('[0,-1,1.5,9007199254740991,1e+21,123456789012345680000,-2.25,1e-7]').value).toEqual([
      0, -1, 1.5, 9007199254740991, 1e21, 123456789012345680000, -2.25, 1e-7,
    ])
  })

  test('has no prototype, takes __proto__ as an ordinary key, and is frozen all through', () => {
    const value = scanned('{"__proto__":{"role":"admin"},"constructor":1,"list":[{"a":1}]}').value as JsonObject
    expect(Object.getPrototypeOf(value)).toBeNull()
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor', 'list'])
    expect(value.role).toBeUndefined()
    expect('toString' in value).toBe(false)
    const list = value.list as readonly JsonValue[]
    expect([value, list, list[0]].every(part => Object.isFrozen(part))).toBe(true)
  })

  test('decodes every escape', () => {
    expect(scanned(' "a\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\\u0000é😀" ').value).toBe('a"\\/\b\f\n\r\té😀\0é😀')
    expect(scanned('["\\\\","\\"","x\\\\",{"\\u0061\\n":"y"},"z"]').value).toEqual(['\\', '"', 'x\\', { 'a\n': 'y' }, 'z'])
  })

  test('is made once', () => {
    const json = scanned('{"a":[1]}')
    expect(json.value).toBe(json.value)
    expect(json.bytes).toBe(json.bytes)
  })
})

describe('lookups', () => {
  const deep = scanned('{ "a" : { "b" : { "c" : { "d" : { "e" : [ 1 , { "f" : "g" } ] } } } } , "n": null }')

  test('reach any depth and leave out the white space around a value', () => {
    expect(deep.get('a')?.get('b')?.get('c')?.get('d')?.get('e')?.text).toBe('[ 1 , { "f" : "g" } ]')
    expect(deep.get('a')?.get('b')?.get('c')?.get('d')?.get('e')?.items()[1]?.string('f')).toBe('g')
    expect(deep.get('n')?.type).toBe('null')
  })

  test('find own members only, by their decoded name', () => {
    const json = scanned('{"m\\u00e9thod":1,"é":"x","toString":2}')
    expect(json.get('méthod')?.text).toBe('1')
    expect(json.string('é')).toBe('x')
    expect(json.get('constructor')).toBeUndefined()
    expect(json.get('m')).toBeUndefined()
    expect(json.keys()).toEqual(['méthod', 'é', 'toString'])
  })

  test('give undefined for what is not there or of another type', () => {
    for (const text of ['[{"a":1}]', '"a"', '1', 'null', '{}']) expect(scanned(text).get('a')).toBeUndefined()
    const json = scanned('{"a":1,"b":["x"],"c":"x\\n"}')
    expect(json.string('a')).toBeUndefined()
    expect(json.string('b')).toBeUndefined()
    expect(json.string('c')).toBe('x\n')
    expect(json.items()).toEqual([])
    expect(json.get('b')?.keys()).toEqual([])
  })

  test('find every member of objects too large to be recorded', () => {
    const inner = Array.from({ length: 700 }, (_, i) => `"k${i}":{"v":${i}}`).join()
    const json = scanned(`{"first":{"x":1},"big":{${inner}},"last":{"y":{"z":2}}}`)
    expect(json.get('first')?.get('x')?.text).toBe('1')
    expect(json.get('big')?.keys().length).toBe(700)
    expect(json.get('big')?.get('k699')?.get('v')?.text).toBe('699')
    expect(json.get('last')?.get('y')?.get('z')?.text).toBe('2')
    const ending = scanned(`{"first":{"x":1},"big":{${inner}}}`)
    expect(ending.keys()).toEqual(['first', 'big'])
    expect(ending.get('big')?.get('k0')?.get('v')?.text).toBe('0')
    expect(ending.get('big')?.keys().length).toBe(700)
  })

  test('tell the type of each value', () => {
    const types = scanned('[{},[],"",-1,0,true,false,null]').items()
    expect(types.map(one => one.type)).toEqual(['object', 'array', 'string', 'number', 'number', 'boolean', 'boolean', 'null'])
    expect(types.map(one => one.text)).toEqual(['{}', '[]', '""', '-1', '0', 'true', 'false', 'null'])
  })
})

describe('with', () => {
  const odd = ' { "a" : 1.0 ,\n"b":{"x" :[ ]}  , "c":"\\u0041" } '

  test('replaces in place and touches nothing else', () => {
    expect(scanned(odd).with({ b: Json.of(7) }).text).toBe('{ "a" : 1.0 ,\n"b":7  , "c":"\\u0041" }')
    expect(scanned(odd).with({ c: Buffer.from('2'), a: Json.of('y') }).text).toBe('{ "a" : "y" ,\n"b":{"x" :[ ]}  , "c":2 }')
  })

  test('adds after the last member', () => {
    expect(scanned(odd).with({ d: Json.of(1), 'e"': Json.of(2) }).text).toBe(
      '{ "a" : 1.0 ,\n"b":{"x" :[ ]}  , "c":"\\u0041","d":1,"e\\"":2 }',
    )
    expect(scanned('{ }').with({ a: Json.of(1), b: Json.of(2) }).text).toBe('{"a":1,"b":2 }')
  })

  test('removes together with one comma', () => {
    const json = scanned('{"a":1,"b":2,"c":3}')
    expect(json.with({ a: undefined }).text).toBe('{"b":2,"c":3}')
    expect(json.with({ b: undefined }).text).toBe('{"a":1,"c":3}')
    expect(json.with({ c: undefined }).text).toBe('{"a":1,"b":2}')
    expect(json.with({ a: undefined, b: undefined }).text).toBe('{"c":3}')
    expect(json.with({ b: undefined, c: undefined }).text).toBe('{"a":1}')
    expect(json.with({ a: undefined, b: undefined, c: undefined }).text).toBe('{}')
    expect(json.with({ a: undefined, b: undefined, c: undefined, d: Json.of(4) }).text).toBe('{"d":4}')
    expect(json.with({ c: undefined, d: Json.of(4), e: undefined }).text).toBe('{"a":1,"b":2,"d":4}')
    expect(json.with({ x: undefined }).text).toBe(json.text)
  })

  test('finds the member that is written with escapes', () => {
    expect(scanned('{"n\\u0061me":1}').with({ name: Json.of(2) }).text).toBe('{"n\\u0061me":2}')
  })

  test('gives an object that can be read and edited again', () => {
    const json = scanned('{"params":{"name":"a"}}')
    const edited = json.with({ params: json.get('params')!.with({ name: Json.of('b') }) })
    expect(edited.get('params')?.string('name')).toBe('b')
    expect(edited.with({ id: Json.of(1) }).value).toEqual({ params: { name: 'b' }, id: 1 })
  })

  test('throws where there are no members', () => {
    expect(() => scanned('[1]').with({ a: Json.of(1) })).toThrow(TypeError)
  })
})

describe('of', () => {
  test('writes compact text that passes the scan', () => {
    const value = { 'a"\n': [1, -2.5, 'x\u2028y', true, null, { é: new ExactNumber('1.0') }], b: {} }
    const json = Json.of(value)
    expect(json.text).toBe('{"a\\"\\n":[1,-2.5,"x\u2028y",true,null,{"é":1.0}],"b":{}}')
    expect(scanned(json.text).value).toEqual(json.value)
  })

  test('keeps __proto__ as a member', () => {
    expect(Json.of(scanned('{"__proto__":{"a":1}}').value).text).toBe('{"__proto__":{"a":1}}')
  })

  test('replaces lone surrogates, so that the text is UTF-8', () => {
    expect(Json.of('a\ud800b😀').value).toBe('a\ufffdb😀')
  })

  const cycle: unknown[] = []
  cycle.push(cycle)
  test.each<[string, unknown]>([
    ['NaN', Number.NaN],
    ['infinity', [Number.POSITIVE_INFINITY]],
    ['undefined', { a: undefined }],
    ['a hole', Object.assign([], { length: 2 })],
    ['a bigint', 1n],
    ['a function', () => 1],
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['a cycle', cycle],
    ['an ExactNumber that smuggles members', { a: new ExactNumber('1,"role":"admin"') }],
    ['an ExactNumber with a line end', new ExactNumber('1\n')],
    ['keys that become one', { '\ud800': 1, '\ud801': 2 }],
  ])('throws for %s', (_what, value) => {
    expect(() => Json.of(value as JsonValue)).toThrow(TypeError)
  })
})
