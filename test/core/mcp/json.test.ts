// The JSON type: what stays byte for byte, and what lookups, edits and serialising promise.
import { describe, expect, test } from 'vitest'
import { isFault, Json } from '../../../core/mcp/json.ts'
import { ExactNumber, type JsonObject, type JsonValue } from '../../../core/plugin/index.ts'

function scanned(text: string): Json {
  const json = Json.scan(Buffer.from(text))
  if (isFault(json)) throw new Error(`${json.message} at ${json.offset}`)
  return json
}

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
