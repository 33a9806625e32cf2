// Case 27: a list shows all that may be called, and beyond it only what the rule alone cannot decide.
import { expect, test } from 'vitest'
import { createEvaluator } from '../../../dsl/evaluator/evaluator.ts'
import type { ListedItem } from '../../../dsl/evaluator/narrow.ts'
import { noon, subjectOf } from '../facts-of.ts'
import { policyOf, type WrittenRule } from '../written.ts'

const call: ListedItem = { action: 'call', server: 'crm', name: 'get' }
const allow: WrittenRule = { effect: 'allow', name: 'a', who: ['role support'], on: [{ action: 'call', targets: ['crm/*'] }] }
const deny: WrittenRule = { effect: 'deny', name: 'd', on: [{ action: 'call', targets: ['crm/*'] }] }
const narrow = (rules: readonly WrittenRule[], item: ListedItem = call, at?: Date) =>
  createEvaluator(policyOf({ rules })).narrow(subjectOf({ claims: new Map([['desk', 'a']]) }), item, at)

test.each<[string, readonly WrittenRule[], 'show' | 'hide']>([
  ['no rule', [], 'hide'],
  ['an allow', [allow], 'show'],
  ['an allow of others', [{ ...allow, who: ['role lead'] }], 'hide'],
  ['an allow by arguments', [{ ...allow, when: 'args.x == 1' }], 'show'],
  ['an allow by arguments and a claim that is another', [{ ...allow, when: 'args.x == 1 && principal.claims.desk == "b"' }], 'hide'],
  ['an allow that reads a claim that is not there', [{ ...allow, when: 'principal.claims.no == "b"' }], 'hide'],
  ['an allow at some hour', [{ ...allow, when: 'request.time.getHours() > 8' }], 'show'],
  ['an allow unless a claim', [{ ...allow, unless: 'principal.claims.desk == "a"' }], 'hide'],
  ['a shadow allow', [{ ...allow, shadow: true }], 'hide'],
  ['a deny', [allow, deny], 'hide'],
  ['a deny by arguments', [allow, { ...deny, when: 'args.x == 1' }], 'show'],
  ['a deny by a claim', [allow, { ...deny, when: 'principal.claims.desk == "a"' }], 'hide'],
  ['a deny that is an error', [allow, { ...deny, when: 'principal.claims.no == "a"' }], 'hide'],
  ['a deny after something', [allow, { ...deny, after: { events: [['call', 'x/y']], withinMs: 1000 } }], 'show'],
  [
    'a deny that is an error after something',
    [allow, { ...deny, when: 'principal.claims.no', after: { events: [['call', 'x/y']], withinMs: 1 } }],
    'show',
  ],
  ['a shadow deny', [allow, { ...deny, shadow: true }], 'show'],
  ['a require', [allow, { effect: 'require', name: 'r', on: deny.on!, duties: [['log', 'full']] }], 'show'],
])('%s', (_, rules, expected) => {
  expect(narrow(rules)).toBe(expected)
})

test('an allow that ended shows nothing from then on', () => {
  const rules = [{ ...allow, expires: '2026-11-20' }]
  expect(narrow(rules, call, noon)).toBe('hide')
  expect(narrow(rules)).toBe('show')
})

test('a template is shown where it may mean a uri that may be read', () => {
  const template = (name: string): ListedItem => ({ action: 'read', server: 'docs', name, template: true })
  const read: WrittenRule = { ...allow, on: [{ action: 'read', targets: [['docs', 'file:///h/**']] }] }
  expect(narrow([read], template('file:///h/{path}'))).toBe('show')
  expect(narrow([read], template('file:///{path}'))).toBe('show')
  expect(narrow([read], template('memo://{id}'))).toBe('hide')
  expect(narrow([read, { ...deny, on: [{ action: 'read', targets: ['docs/*'] }] }], template('file:///h/{path}'))).toBe('hide')
  expect(narrow([read, { ...deny, on: read.on! }], template('file:///{path}'))).toBe('show')
  expect(narrow([{ ...read, when: 'resource.uri.endsWith(".md")' }], template('file:///h/{path}'))).toBe('show')
})
