// What a tool's inputSchema says about a condition before any call is made.
import { describe, expect, test } from 'vitest'
import { checkTypes } from '../../../dsl/cel/types.ts'
import type { JsonSchema } from '../../../dsl/lock/lock.ts'
import { compiled } from './conditions.ts'

const schema: JsonSchema = {
  type: 'object',
  required: ['id'],
  properties: {
    id: { type: 'string' },
    count: { type: 'integer' },
    price: { type: 'number' },
    currency: { enum: ['EUR', 'USD'] },
    tags: { type: 'array', items: { type: 'string' } },
    nested: { $ref: '#/$defs/nested' },
    either: { anyOf: [{ type: 'string' }, { type: 'integer' }] },
    nullable: { type: ['string', 'null'] },
    open: { type: 'object', additionalProperties: { type: 'integer' } },
    composed: { allOf: [{ properties: { a: { type: 'string' } } }, { properties: { b: { type: 'integer' } } }] },
    anything: {},
  },
  $defs: { nested: { type: 'object', properties: { name: { type: 'string' }, again: { $ref: '#/$defs/nested' } } } },
}

const found = (text: string, lets: Readonly<Record<string, string>> = {}): readonly string[] =>
  checkTypes(compiled(text, lets), new Map([['args', schema]])).diagnostics.map(one => one.code)

describe('a condition against a schema', () => {
  test.each([
    'args.id == "x"',
    'args.count > 3 && args.price > 3 && args.price == 3 && args.count < 2.5',
    'args.price * 2.0 > 3.0',
    'args.currency in ["EUR"]',
    '"a" in args.tags && args.tags.all(t, t.startsWith("x"))',
    'args.nested.name == "x" && has(args.nested.again.again.name)',
    'args.either == "x" || args.either == 3',
    'args.nullable == null || args.nullable.startsWith("x")',
    'args.open.whatever > 3 && "x" in args.open',
    'args.composed.a == "x" && args.composed.b == 1',
    'args.anything.at.all == 1',
    '"count" in args && args.size() > 2 && args.exists(key, key == "id")',
    'args == {}',
    'args["id"] == "x"',
  ])('%s is fine', text => {
    expect(found(text)).toEqual([])
  })

  test.each([
    ['args.id == 3', 'cel-type'],
    ['args.count == "3"', 'cel-type'],
    ['args.count.startsWith("3")', 'cel-type'],
    ['args.price * 2 > 3.0', 'cel-type'],
    ['args.currency == 1', 'cel-type'],
    ['3 in args.tags', 'cel-type'],
    ['args.tags.exists(t, t > 3)', 'cel-type'],
    ['args.tags == "x"', 'cel-type'],
    ['args.idd == "x"', 'unknown-argument'],
    ['has(args.idd)', 'unknown-argument'],
    ['args["idd"] == "x"', 'unknown-argument'],
    ['args.nested.nam == "x"', 'unknown-argument'],
    ['args.open.x == "x"', 'cel-type'],
    ['args.id.name == "x"', 'cel-type'],
    ['args.anything + 1 > 2', 'untyped-arithmetic'],
  ])('%s is told of as %s', (text, code) => {
    expect(found(text)).toEqual([code])
  })

  test('a let that is used twice is told of once', () => {
    expect(found('x || !x', { x: 'args.idd == "x"' })).toEqual(['unknown-argument'])
  })

  test('a field that does not exist is named with the one that was meant', () => {
    const [one] = checkTypes(compiled('has(args.curency)'), new Map([['args', schema]])).diagnostics
    expect(one).toMatchObject({ message: '`args` has no `curency`, so that `has()` is never true', help: 'did you mean `currency`' })
  })
})
