// The proof that a masker only masked, and nothing that looks like masking but is not.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Json } from '../../../core/mcp/json.ts'
import { masksOnly, sameJson } from '../../../core/pipeline/masking.ts'
import type { JsonValue } from '../../../core/plugin/index.ts'

const value = (json: string): JsonValue => (Json.scan(Buffer.from(json)) as Json).value

test.each([
  ['a text', '{"a":"x"}', '{"a":"[x]"}'],
  ['a number by a text', '{"a":4111111111111111}', '{"a":"[card]"}'],
  ['an exact number', '{"a":9007199254740993}', '{"a":"[id]"}'],
  ['a truth value hidden', '{"a":true}', '{"a":"[hidden]"}'],
  ['a member removed', '{"a":1,"b":2}', '{"b":2}'],
  ['an element removed', '[1,{"a":1},3]', '[1,3]'],
  ['a key renamed', '{"a@b.c":{"x":1},"k":2}', '{"[mail]":{"x":1},"k":2}'],
  ['two keys renamed', '{"a":1,"b":[1]}', '{"x":1,"y":[1]}'],
  ['a whole part withheld', '{"a":{"b":[1]}}', '{"a":"[withheld]"}'],
  ['nothing', '{"a":[1,null,true]}', '{"a":[1,null,true]}'],
])('%s is masking', (_what, before, after) => {
  expect(masksOnly(value(before), value(after))).toBe(true)
})

test.each([
  ['a member added', '{"a":1}', '{"a":1,"b":2}'],
  ['an element added', '[1]', '[1,2]'],
  ['a leaf that grows', '{"a":"x"}', '{"a":{"b":1}}'],
  ['a truth value turned round', '{"a":false}', '{"a":true}'],
  ['a text that becomes true', '{"a":"no"}', '{"a":true}'],
  ['null that becomes a number', '{"a":null}', '{"a":1}'],
  ['a list that becomes a map', '{"a":[]}', '{"a":{}}'],
  ['a renamed member that grows', '{"a":1}', '{"b":[1]}'],
  ['elements in another order', '[{"a":1},[2]]', '[[2],{"a":1}]'],
  ['something inside', '{"a":[{"b":{"c":1}}]}', '{"a":[{"b":{"c":1,"d":2}}]}'],
])('%s is not masking', (_what, before, after) => {
  expect(masksOnly(value(before), value(after))).toBe(false)
})

test('masking twice is masking: whatever a chain of maskers does, the whole is proven too', () => {
  const mask = (json: JsonValue, dice: () => boolean): JsonValue => {
    if (Array.isArray(json)) return json.filter(() => !dice()).map(one => mask(one, dice))
    if (typeof json === 'object' && json !== null)
      return Object.fromEntries(Object.entries(json).map(([key, one]) => [dice() ? `[${key}]` : key, mask(one, dice)]))
    return typeof json === 'boolean' || json === null || !dice() ? json : '[x]'
  }
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.infiniteStream(fc.boolean()), (json, booleans) => {
      const dice = () => booleans.next().value === true
      const before = json as JsonValue
      const once = mask(before, dice)
      expect(masksOnly(before, once)).toBe(true)
      expect(masksOnly(before, mask(once, dice))).toBe(true)
    }),
    { seed: 5, numRuns: 500 },
  )
})

test('equal JSON is equal whatever the order of the members, and exact numbers by their text', () => {
  expect(sameJson(value('{"a":[1,{"b":null}],"c":"x"}'), value('{"c":"x","a":[1,{"b":null}]}'))).toBe(true)
  for (const [a, b] of [
    ['{"a":1}', '{"a":1,"b":1}'],
    ['[1,2]', '[2,1]'],
    ['9007199254740993', '9007199254740992'],
    ['{}', '[]'],
    ['"1"', '1'],
    ['{"a":null}', '{"b":null}'],
  ]) {
    expect(sameJson(value(a!), value(b!))).toBe(false)
  }
})
