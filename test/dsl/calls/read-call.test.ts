// The JSON of a call is read as written, or refused with the reason; and what is written can be read again.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readCall } from '../../../dsl/calls/read-call.ts'
import { writeCall } from '../../../dsl/calls/write-call.ts'
import type { Facts } from '../../../dsl/facts.ts'
import type { Lock } from '../../../dsl/lock/lock.ts'

const now = new Date('2026-11-25T12:00:00Z')
const lock: Lock = {
  v: 1,
  roles: [],
  tenants: [],
  dischargers: [],
  servers: {
    crm: {
      tools: [
        {
          name: 'pay',
          digest: '',
          inputSchema: { type: 'object', properties: { amount: { type: 'number' }, id: { type: 'integer' } } },
          annotations: { destructiveHint: true },
        },
      ],
      resources: [],
      templates: [],
      prompts: [],
    },
  },
}
const read = (text: string): Facts => {
  const facts = readCall(text, { now, lock })
  if ('error' in facts) throw new Error(facts.error)
  return facts
}
const base = '"principal":{"id":"a1","roles":["support"]}'

test('what is absent is empty, now, or unknown', () => {
  expect(read(`{${base},"call":"crm/get"}`)).toEqual({
    principal: { id: 'a1', roles: ['support'], tenant: 'default', claims: new Map() },
    action: 'call',
    server: 'crm',
    name: 'get',
    args: new Map(),
    request: { time: now },
  })
})

test('numbers are as exact as their text, and a schema says which are whole', () => {
  const { args, annotations } = read(
    `{${base},"call":"crm/pay","args":{"amount":1,"id":9007199254740993,"other":9007199254740993,"__proto__":1.5}}`,
  )
  expect(args).toEqual(
    new Map<string, unknown>([
      ['amount', 1],
      ['id', 9007199254740993n],
      ['other', 9007199254740993n],
      ['__proto__', 1.5],
    ]),
  )
  expect(annotations).toEqual(new Map([['destructiveHint', true]]))
})

test('uris are straightened, and have no arguments', () => {
  expect(read(`{${base},"read":"docs/file:///a/../b%7E"}`)).toMatchObject({ action: 'read', server: 'docs', name: 'file:///b~' })
  expect(read(`{${base},"read":"docs/file:///a","args":{"x":1}}`).args).toBeUndefined()
})

test('unknown members of the principal are passed over', () => {
  expect(
    read('{"principal":{"id":"a","roles":[],"tenant":"t","claims":{"n":1},"via":"key","email":"x"},"prompt":"docs/p"}').principal,
  ).toEqual({
    id: 'a',
    roles: [],
    tenant: 't',
    claims: new Map([['n', 1n]]),
  })
})

test('a history holds what has happened by the time of the call', () => {
  const { history } = read(
    `{${base},"call":"a/b","request":{"time":"2026-11-25T10:00:00+01:00"},"history":[{"call":"v/r","at":"2026-11-25T08:30:00Z"},{"call":"v/r","at":"2026-11-25T09:30:00Z"}]}`,
  )
  const matcher = { action: 'call' as const, text: '', matches: () => true }
  expect(history!.lastMatch(matcher, Date.parse('2026-11-25T08:30:00Z'))).toBe(Date.parse('2026-11-25T08:30:00Z'))
  expect(history!.lastMatch(matcher, Date.parse('2026-11-25T08:30:00.001Z'))).toBeUndefined()
  expect(history!.lastMatch({ ...matcher, action: 'read' }, 0)).toBeUndefined()
})

describe('no call', () => {
  test.each([
    ['', /^at character 1: expected a value, found the end/],
    ['{"a":1,}', /^at character 8: /],
    ['{"principal":{},"principal":{}}', /each key once/],
    ['[]', /a call takes an object/],
    ['{"call":"a/b"}', /expected `principal`, found none/],
    [`{${base}}`, /expected one of `call`, `read`, `prompt`, `method`, found none/],
    [`{${base},"call":"a/b","read":"a/b"}`, /found `call` and `read`/],
    [`{${base},"call":"ab"}`, /`call` takes "server\/name", found `ab`/],
    [`{${base},"call":"*/b"}`, /`\*` is no name of a server/],
    [`{${base},"call":"a/b","argz":{}}`, /`argz` is unknown in a call/],
    [`{${base},"call":"a/b","args":[]}`, /`args` takes an object/],
    [`{${base},"call":"a/b","request":{"time":"2026-02-30T00:00:00Z"}}`, /`request.time` takes a time like/],
    [`{${base},"call":"a/b","request":{"time":"yesterday"}}`, /`request.time` takes a time like/],
    [`{${base},"call":"a/b","history":[{"call":"a/b"}]}`, /`history\[0\]`: `at` takes a time/],
    ['{"principal":{"roles":"x"},"call":"a/b"}', /`principal.roles` takes a list of texts/],
    [`{${base},"call":"a/b","args":{"a":${'['.repeat(70)}${']'.repeat(70)}}}`, /at most 64 levels/],
  ])('%s', (text, error) => {
    expect(readCall(text, { now })).toEqual({ error: expect.stringMatching(error) as string })
  })
})

test('what is written reads as it was', () => {
  const json = fc.jsonValue({ maxDepth: 3 }).filter(value => !JSON.stringify(value).includes('e'))
  fc.assert(
    fc.property(fc.dictionary(fc.string(), json), fc.array(fc.string()), (args, roles) => {
      const text = JSON.stringify({ principal: { id: 'a', roles, claims: args }, call: 'crm/x y', args })
      const facts = read(text)
      expect(read(writeCall(facts))).toEqual(facts)
    }),
    { seed: Number(process.env.FUZZ_SEED ?? 4), numRuns: Number(process.env.FUZZ_RUNS ?? 300) },
  )
})
