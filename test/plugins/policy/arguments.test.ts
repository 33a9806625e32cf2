// Arguments fit the schema of their tool before any rule reads them; no schema fetches, blows up or takes long.
import { expect, test } from 'vitest'
import { Json } from '../../../core/mcp/json.ts'
import { neighbours } from '../../../plugins/policy/arguments/numbers.ts'
import { type Misfit, validateArguments } from '../../../plugins/policy/arguments/validate.ts'

const scan = (text: string): Json => {
  const scanned = Json.scan(Buffer.from(text))
  if (!(scanned instanceof Json)) throw new Error(scanned.message)
  return scanned
}
const check = (schema: unknown, args: string): Misfit | undefined =>
  validateArguments(scan(`{"name":"t","inputSchema":${typeof schema === 'string' ? schema : JSON.stringify(schema)}}`), scan(args))
const of = (properties: object, more: object = {}): object => ({ type: 'object', properties, ...more })

test('what fits passes, and what does not is told by its place and what was expected', () => {
  const schema = of(
    {
      id: { type: 'string', pattern: '^c-\\d+$' },
      limit: { type: 'integer', maximum: 100 },
      mode: { enum: ['a', { x: [1] }] },
      'a/b': { items: { type: 'string' } },
    },
    { required: ['id'], additionalProperties: false },
  )
  expect(check(schema, '{"id":"c-1","limit":100,"mode":{"x":[1.0]},"a/b":["x"]}')).toBeUndefined()
  const say = (args: string): string | undefined => check(schema, args)?.message
  expect(say('{}')).toBe("the arguments must have required property 'id'")
  expect(say('{"id":"secret-value"}')).toBe('`/id` must match pattern "^c-\\d+$"')
  expect(say('{"id":"c-1","limit":101}')).toBe('`/limit` must be <= 100')
  expect(say('{"id":"c-1","limit":1.5}')).toBe('`/limit` must be integer')
  expect(say('{"id":"c-1","mode":"secret-value"}')).toBe('`/mode` must be one of "a",{"x":[1]}')
  expect(say('{"id":"c-1","mode":{"x":[2]}}')).toMatch(/^`\/mode` must be one of/)
  expect(say('{"id":"c-1","a/b":["x",7]}')).toBe('`/a~1b/1` must be string')
  expect(say('{"id":"c-1","extra":"secret-value"}')).toBe('the arguments must not have `extra`')
  expect(say('{"id":"c-1","limit":101}')).not.toContain('101')
  expect(check(of({ k: { const: { a: 1 } } }), '{"k":{"a":2}}')?.message).toBe('`/k` must be {"a":1}')
})

test('each pattern of a schema is its own', () => {
  const schema = of({
    a: { type: 'string', pattern: '^a+$' },
    b: { type: 'string', pattern: '^b+$' },
    c: { propertyNames: { pattern: '^c$' } },
  })
  expect(check(schema, '{"a":"aa","b":"bb","c":{"c":1}}')).toBeUndefined()
  expect(check(schema, '{"b":"aa"}')?.message).toBe('`/b` must match pattern "^b+$"')
  expect(check(schema, '{"a":"bb"}')?.message).toBe('`/a` must match pattern "^a+$"')
  expect(check(schema, '{"c":{"a":1}}')?.about).toBe('arguments')
})

test('names of prototypes are names like any other', () => {
  const strict = of({ a: {} }, { additionalProperties: false })
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf']) {
    expect(check(strict, `{"${name}":1}`)?.about).toBe('arguments')
    expect(check(of({}, { required: [name] }), '{}')?.about).toBe('arguments')
    expect(check(of({}, { required: [name] }), `{"${name}":1}`)).toBeUndefined()
    expect(check(of({ x: { enum: [{ [name]: 1 }] } }), `{"x":{"${name}":2}}`)?.about).toBe('arguments')
  }
})

test('numbers that JavaScript has not are checked exactly, or refused', () => {
  const integer = of({ n: { type: 'integer' } })
  for (const n of ['1', '1.0', '1e3', '-0', '9007199254740993', '123456789012345678901234567890'])
    expect(check(integer, `{"n":${n}}`), n).toBeUndefined()
  for (const n of ['1.5', '1e-1', '1e400', '-1e400', '9007199254740993.5', '1e999999999'])
    expect(check(integer, `{"n":${n}}`)?.about, n).toBe('arguments')
  const most = of({ n: { maximum: 9007199254740992 } })
  expect(check(most, '{"n":9007199254740992}')).toBeUndefined()
  expect(check(most, '{"n":9007199254740993}')?.message).toContain('`/n` must be <=')
  expect(check(of({ n: { const: 9007199254740992 } }), '{"n":9007199254740993}')?.about).toBe('arguments')
  expect(check(of({ n: { multipleOf: 2 } }), '{"n":9007199254740993}')?.about).toBe('arguments')
  expect(check(of({ n: { type: 'number', minimum: 0.1 } }), '{"n":0.1}')).toBeUndefined()
  expect(check(of({ n: { type: 'number', minimum: 0.1 } }), '{"n":0.10000000000000000001}')).toBeUndefined()
  expect(check(of({ n: { type: 'number', minimum: 0.1 } }), '{"n":0.0999999999999999999}')?.about).toBe('arguments')
  expect(check('{"properties":{"n":{"type":"integer","maximum":18446744073709551615}}}', '{"n":5}')).toBeUndefined()
  for (const text of ['1', '0.1', '1e-5', '5e-324', '1.7976931348623157e308', '100', '0.0', '-1.50']) {
    expect(neighbours(text), text).toEqual([Number(text), Number(text)])
  }
  expect(neighbours('9007199254740993')).toEqual([9007199254740992, 9007199254740994])
  expect(neighbours('-9007199254740993')).toEqual([-9007199254740994, -9007199254740992])
})

test('nothing is fetched: a reference that leads elsewhere refuses the call, and says so', () => {
  for (const ref of [
    'http://169.254.169.254/x',
    'https://example.com/s.json',
    'file:///etc/passwd',
    'other.json',
    '//host/x',
    '#/$defs/none',
    '#none',
  ]) {
    const found = check(of({ a: { $ref: ref } }), '{"a":1}')
    expect(found?.about, ref).toBe('schema')
    expect(found?.message).toMatch(/`\$ref`/)
  }
  expect(check({ $schema: 'https://evil.example/schema', type: 'object' }, '{}')?.about).toBe('schema')
  expect(
    check(
      { $id: 'https://a.example/s', type: 'object', properties: { a: { $ref: '#/$defs/n' } }, $defs: { n: { type: 'number' } } },
      '{"a":"x"}',
    )?.about,
  ).toBe('arguments')
  expect(check({ properties: { a: { $ref: '#n' } }, $defs: { n: { $anchor: 'n', type: 'number' } } }, '{"a":"x"}')?.about).toBe('arguments')
  expect(check({ properties: { a: { $ref: '#/components/n' } }, components: { n: { type: 'number' } } }, '{"a":"x"}')?.about).toBe(
    'arguments',
  )
})

test('dialects are known by their `$schema`', () => {
  const tuple = { properties: { a: { items: [{ type: 'string' }], additionalItems: false } } }
  for (const hash of ['', '#'])
    expect(check({ $schema: `http://json-schema.org/draft-07/schema${hash}`, ...tuple }, '{"a":["x","y"]}')?.about).toBe('arguments')
  expect(check(tuple, '{"a":["x"]}')?.about).toBe('schema')
  expect(check({ properties: { a: { prefixItems: [{ type: 'string' }] } } }, '{"a":[1]}')?.about).toBe('arguments')
  expect(check({ type: 'objekt' }, '{}')?.about).toBe('schema')
  expect(check('7', '{}')?.about).toBe('schema')
  expect(check('false', '{}')?.about).toBe('arguments')
  expect(validateArguments(scan('{"name":"t"}'), scan('{"a":1}'))).toBeUndefined()
})

test('a schema that would answer with a promise, or knows its own name, is no way around', () => {
  expect(check({ $async: true, type: 'object', required: ['a'] }, '{}')?.about).toBe('arguments')
  expect(check(of({ a: { $ref: '#/$defs/n' } }, { $defs: { n: { $async: true, type: 'number' } } }), '{"a":"x"}')?.about).toBe('arguments')
  expect(check(of({ a: { type: 'string', nullable: true } }), '{"a":null}')?.about).toBe('arguments')
  for (const type of ['string', 'number']) expect(check({ $id: 'same', ...of({ a: { type } }) }, '{"a":true}')?.message).toContain(type)
})

test('patterns run in linear time; one that cannot refuses the call', () => {
  const evil = of({ a: { pattern: '^(a+)+$' } })
  expect(check(evil, `{"a":"${'a'.repeat(5000)}b"}`)?.about).toBe('arguments')
  expect(check(evil, '{"a":"aaa"}')).toBeUndefined()
  expect(check(of({ a: { pattern: '^(?=x)y' } }), '{"a":"y"}')?.about).toBe('schema')
  expect(check(of({ a: { pattern: '(a)\\1' } }), '{"a":"aa"}')?.about).toBe('schema')
  expect(check(of({ a: { pattern: 'a'.repeat(2001) } }), '{}')?.about).toBe('schema')
  expect(check({ patternProperties: { '^x-\\u0061': { type: 'string' } } }, '{"x-a":1}')?.about).toBe('arguments')
  expect(check(of({ a: { pattern: '^é\\p{L}{2}$' } }), '{"a":"éßж"}')).toBeUndefined()
})

test('what could take for ever is cut off', () => {
  const $defs: Record<string, unknown> = { n40: { type: 'number' } }
  for (let i = 0; i < 40; i++) $defs[`n${i}`] = { anyOf: [{ $ref: `#/$defs/n${i + 1}` }, { $ref: `#/$defs/n${i + 1}` }] }
  expect(check(of({ a: { $ref: '#/$defs/n0' } }, { $defs }), '{"a":"x"}')?.message).toContain('too many steps')
  const tree = {
    $defs: { t: { properties: { c: { anyOf: [{ $ref: '#/$defs/t' }, { $ref: '#/$defs/t' }] } }, required: ['z'] } },
    $ref: '#/$defs/t',
  }
  const deep = `${'{"z":1,"c":'.repeat(40)}1${'}'.repeat(40)}`
  expect(check(tree, deep)?.message).toContain('too many steps')
  expect(check(tree, '{"z":1,"c":{"z":1}}')).toBeUndefined()
  expect(check({ $ref: '#' }, '{}')?.about).toBe('arguments')
  expect(check(of({}, { anyOf: Array.from({ length: 10_000 }, (_, i) => ({ required: [`p${i}`] })) }), '{}')?.about).toBe('schema')
  const many = `{"a":[${Array.from({ length: 50_000 }, (_, i) => `{"i":${i}}`).join()}]}`
  expect(check(of({ a: { uniqueItems: true } }), many)).toBeUndefined()
  expect(check(of({ a: { uniqueItems: true } }), '{"a":[{"x":1,"y":2},{"y":2,"x":1.0}]}')?.message).toContain('no two equal')
  const words = Array.from({ length: 20_000 }, (_, i) => `w${i}`)
  expect(check(of({ a: { items: { enum: words } } }), `{"a":[${Array.from({ length: 20_000 }, () => '"no"').join()}]}`)?.about).toBe(
    'arguments',
  )
})

test('a definition is compiled once, and another with the same schema not at all', () => {
  const text = JSON.stringify({
    name: 't',
    inputSchema: of(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`p${i}`, { type: 'string', maxLength: i }]))),
  })
  const args = scan('{"p7":"x"}')
  const cpu = (definition: Json): number => {
    const from = process.cpuUsage().user
    expect(validateArguments(definition, args)).toBeUndefined()
    return process.cpuUsage(undefined).user - from
  }
  const definition = scan(text)
  const first = cpu(definition)
  expect(cpu(definition)).toBeLessThan(first)
  expect(cpu(scan(text))).toBeLessThan(first)
})
