// Tests of a bundle that speak of what the lock does not have, or of arguments that the tool refuses, are told, each at its place.
import { describe, expect, test } from 'vitest'
import { loadPolicies } from '../../../dsl/checker/check.ts'
import type { JsonSchema, Lock } from '../../../dsl/lock/lock.ts'
import { check, lock as names, now, server, told, tool } from './fixture.ts'

const inputSchema: JsonSchema = {
  type: 'object',
  $defs: { region: { enum: ['eu', 'us'] } },
  properties: {
    id: { type: 'string', minLength: 1 },
    limit: { type: 'integer', minimum: 1, maximum: 100 },
    ratio: { type: ['number', 'null'] },
    region: { $ref: '#/$defs/region' },
    tags: { type: 'array', items: { type: 'string' } },
    place: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    any: {},
  },
  allOf: [{ required: ['id'] }],
}
const lock: Lock = {
  ...names,
  servers: {
    ...names.servers,
    shop: server([tool('order', { inputSchema }), tool('free', { inputSchema: { type: 'object' } })], {
      prompts: [{ name: 'ask', digest: 'c'.repeat(64), arguments: [{ name: 'topic', required: true }, { name: 'tone' }] }],
    }),
  },
}
const rules = 'allow a {\n  who role support\n  call shop/*, crm/get_*\n}\nallow p {\n  who role support\n  prompt shop/ask\n}\n'
const aTest = (call: string, given = '') =>
  `${rules}test "t" {\n  as { "id": "a" }\n  ${given}\n  at "2026-11-21T10:00:00Z"\n  ${call}\n  expect deny by default\n}\n`
const tell = (call: string, given = '') => told(aTest(call, given), { lock })

describe('names', () => {
  test.each([
    ['call shop/ordr { "id": "1" }', 'shop/ordr: the lock has no tool `shop/ordr`', 'did you mean `shop/order`?'],
    ['call shpo/order { "id": "1" }', 'shpo: the lock has no server `shpo`', 'did you mean `shop`?'],
    ['prompt shop/ak { "topic": "x" }', 'shop/ak: the lock has no prompt `shop/ak`', 'did you mean `shop/ask`?'],
    ['call shop/order { "id": "1", "limt": 3 }', '"limt": `shop/order` has no argument `limt`', 'did you mean `limit`?'],
    [
      'call shop/order { "id": "1", "place": { "cty": "x", "city": "y" } }',
      '"cty": `shop/order` has no argument `place.cty`',
      'did you mean `city`?',
    ],
    ['prompt shop/ask { "topic": "x", "tome": "y" }', '"tome": `shop/ask` has no argument `tome`', 'did you mean `tone`?'],
  ])('%s', (call, message, help) => {
    expect(tell(call)).toEqual([`test-unknown-name: ${message}`])
    expect(check(aTest(call), { lock }).find(({ code }) => code === 'test-unknown-name')).toMatchObject({ severity: 'warning', help })
  })

  test('of what was done before are looked for, too', () => {
    expect(tell('call shop/order { "id": "1" }', 'given call shop/odrer ago 5m')).toEqual([
      'test-unknown-name: shop/odrer: the lock has no tool `shop/odrer`',
    ])
  })
})

test('members that no principal has are told, with and without a lock: what they say, nobody reads', () => {
  const of = (as: string): string => `${rules}test "t" {\n  as ${as}\n  call shop/free\n  expect deny by default\n}\n`
  for (const context of [{ lock }, {}]) {
    const found = check(of('{ "id": "a", "role": ["support"] }'), context).filter(({ code }) => code === 'test-unknown-name')
    expect(found).toMatchObject([
      { severity: 'warning', message: 'a principal has no `role`', help: 'did you mean `roles`?', fix: { text: '"roles"' } },
    ])
    expect(told(of('{ "id": "a", "customer_id": "c-1" }'), context)).toEqual([
      'test-unknown-name: "customer_id": a principal has no `customer_id`',
    ])
    expect(told(of('{ "id": "a", "name": "A", "roles": [], "tenant": "t", "claims": { "role": 1 } }'), context)).toEqual([])
    expect(told(of('{}'), context)).toEqual([])
  }
})

describe('arguments', () => {
  test.each([
    ['{ "id": 7 }', '7: `id` of `shop/order` takes a string, found `7`'],
    ['{ "id": "1", "limit": "10" }', '"10": `limit` of `shop/order` takes an integer, found `"10"`'],
    ['{ "id": "1", "limit": 1.5 }', '1.5: `limit` of `shop/order` takes an integer, at least 1, at most 100, found `1.5`'],
    ['{ "id": "1", "limit": 101 }', '101: `limit` of `shop/order` takes an integer, at least 1, at most 100, found `101`'],
    ['{ "id": "1", "ratio": true }', 'true: `ratio` of `shop/order` takes a number or null, found `true`'],
    ['{ "id": "1", "region": "asia" }', '"asia": `region` of `shop/order` takes `eu`, `us`, found `"asia"`'],
    ['{ "id": "1", "tags": "x" }', '"x": `tags` of `shop/order` takes a list, found `"x"`'],
    ['{ "id": "1", "tags": ["x", 1] }', '1: `tags.1` of `shop/order` takes a string, found `1`'],
    ['{ "id": "1", "place": [] }', '[]: `place` of `shop/order` takes an object, found a list'],
    ['{ "id": "1", "place": {"x-city": 1} }', undefined],
    ['{ "limit": 1 }', '{ "limit": 1 }: `shop/order` requires `id`'],
    ['{}', '{}: `shop/order` requires `id`'],
    ['', 'shop/order: `shop/order` requires `id`'],
  ])('%s', (args, message) => {
    const found = tell(`call shop/order ${args}`).filter(one => one.startsWith('test-bad-argument'))
    if (message === undefined) expect(found).toEqual(['test-bad-argument: {"x-city": 1}: `shop/order` requires `place.city`'])
    else expect(found).toEqual([`test-bad-argument: ${message}`])
  })

  test('that the schema takes, or says nothing of, are not told', () => {
    const good = '{ "id": "1", "limit": 100, "ratio": null, "region": "eu", "tags": [], "place": { "city": "x" }, "any": [1, {}] }'
    expect(tell(`call shop/order ${good}`)).toEqual([])
    expect(tell('call shop/order { "id": "1", "limit": 1.0, "ratio": 1e3 }')).toEqual([])
    expect(tell('call shop/free { "whatever": 1 }')).toEqual([])
    expect(tell('call gateway/call { "whatever": 1 }')).toEqual([])
    expect(tell('prompt shop/ask { "topic": "x" }')).toEqual([])
  })

  test('called as what every object has are arguments like others', () => {
    expect(tell('call shop/order { "id": "1", "constructor": 1, "__proto__": 1 }')).toEqual([
      'test-unknown-name: "constructor": `shop/order` has no argument `constructor`',
      'test-unknown-name: "__proto__": `shop/order` has no argument `__proto__`',
    ])
  })
})

test('no lock, no claim; and a gateway loads a bundle whatever its tests speak of', () => {
  const wrong = aTest('call shop/ordr { "id": 1 }')
  expect(told(wrong, {})).toEqual([])
  expect(loadPolicies([{ file: 'p.policy', text: `policy "p" edition 1\n${wrong}` }], { lock, now }).policy).toBeDefined()
})
