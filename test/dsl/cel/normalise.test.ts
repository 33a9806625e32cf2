// What becomes of JSON before a condition sees it.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { normalise, TooLarge } from '../../../dsl/cel/normalise.ts'
import { JsonNumber } from '../../../dsl/json-number.ts'

const number = (text: string, schema?: Readonly<Record<string, unknown>>): unknown => normalise(new JsonNumber(text), schema)

describe('numbers', () => {
  test('an integer is what its text says, never what a double would make of it', () => {
    expect(number('9007199254740993')).toBe(9007199254740993n)
    expect(number('-0')).toBe(0n)
    expect(number('123456789012345678901234567890')).toBe(123456789012345678901234567890n)
    expect(number('1.0')).toBe(1)
    expect(number('1e3')).toBe(1000)
    expect(number('9'.repeat(1_000))).toBe(Number.POSITIVE_INFINITY)
  })

  test('the schema decides where it speaks', () => {
    expect(number('1', { type: 'number' })).toBe(1)
    expect(number('1.0', { type: 'integer' })).toBe(1n)
    expect(number('1', { type: ['integer', 'number'] })).toBe(1n)
    expect(normalise(1)).toBe(1n)
    expect(normalise(1.5)).toBe(1.5)
    expect(normalise(1, { type: 'number' })).toBe(1)
  })

  test('a schema is followed through all that may lead to a number', () => {
    const schema = {
      type: 'object',
      properties: {
        price: { type: 'number' },
        list: { type: 'array', prefixItems: [{ type: 'integer' }], items: { type: 'number' } },
        ref: { $ref: '#/$defs/money' },
        all: { allOf: [{ properties: { x: { type: 'number' } } }, { $ref: '#/$defs/money' }] },
        either: { anyOf: [{ type: 'string' }, { type: 'number' }] },
        loop: { $ref: '#/properties/loop' },
        tree: { $ref: '#' },
      },
      additionalProperties: { type: 'number' },
      $defs: { money: { type: 'object', properties: { amount: { type: 'number' } } } },
    }
    const json = {
      price: 1,
      list: [1, 2],
      ref: { amount: 3 },
      all: { x: 4, amount: 5 },
      either: 6,
      loop: 7,
      tree: { price: 8 },
      more: 9,
      constructor: 10,
    }
    const value = normalise(json, schema) as ReadonlyMap<string, never>
    expect(value).toEqual(
      new Map<string, unknown>([
        ['price', 1],
        ['list', [1n, 2]],
        ['ref', new Map([['amount', 3]])],
        [
          'all',
          new Map([
            ['x', 4],
            ['amount', 5],
          ]),
        ],
        ['either', 6],
        ['loop', 7n],
        ['tree', new Map([['price', 8]])],
        ['more', 9],
        ['constructor', 10],
      ]),
    )
  })
})

describe('objects', () => {
  test('are Maps without a prototype, whatever their names', () => {
    const value = normalise(JSON.parse('{"__proto__": {"x": 1}, "constructor": 2}')) as ReadonlyMap<string, unknown>
    expect([...value.keys()]).toEqual(['__proto__', 'constructor'])
    expect(value.get('toString')).toBeUndefined()
  })

  test('of policies and of the wire come out the same', () => {
    fc.assert(
      fc.property(fc.jsonValue(), json => {
        expect(normalise(strict(json))).toEqual(normalise(json))
      }),
      { numRuns: 300, seed: Number(process.env.FUZZ_SEED ?? 7) },
    )
  })
})

/** As the JSON parser of policies gives it. */
function strict(json: unknown): unknown {
  // A double that is a whole number is an integer on the wire; its text says so in full.
  if (typeof json === 'number') return new JsonNumber(Number.isInteger(json) ? BigInt(json).toString() : String(json))
  if (Array.isArray(json)) return json.map(strict)
  if (typeof json !== 'object' || json === null) return json
  return new Map(Object.entries(json).map(([key, value]) => [key, strict(value)]))
}

describe('what is too large', () => {
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])

  test.each([
    ['depth', nested(65)],
    ['length', Array(10_001).fill(0)],
    ['size', Array(11).fill(Array(9_999).fill(0))],
    ['length', Object.fromEntries(Array.from({ length: 10_001 }, (_, at) => [`k${at}`, 0]))],
  ])('has no value, for its %s', (what, json) => {
    const value = normalise(json)
    expect(value).toBeInstanceOf(TooLarge)
    expect((value as TooLarge).what).toBe(what)
  })

  test('what is just not is a value', () => {
    expect(normalise(nested(64))).not.toBeInstanceOf(TooLarge)
    expect(normalise(Array(10_000).fill(0))).not.toBeInstanceOf(TooLarge)
  })
})
