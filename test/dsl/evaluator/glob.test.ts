// Patterns mean what the language says, character for character, whatever is in a name, and in bounded time.
import { describe, expect, test } from 'vitest'
import { nameGlob, uriGlob } from '../../../dsl/evaluator/glob.ts'
import { nameMatcher, serverMatcher } from '../../../dsl/evaluator/target.ts'

describe('an unquoted name', () => {
  test.each([
    ['get_*', 'get_x', true],
    ['get_*', 'get_', true],
    ['get_*', 'get', false],
    ['get_*', 'forget_x', false],
    ['get_*', 'get_a/b', false],
    ['*', 'a/b', false],
    ['*', '', true],
    ['get.x', 'get_x', false],
    ['get.*', 'getter', false],
    ['*_x', 'a_x\n', false],
    ['get_*', 'get_\nx', true],
    ['get_x', 'get_x\n', false],
    ['get_*', 'x\nget_y', false],
    ['a*b*c', 'abc', true],
    ['a*b*c', 'acb', false],
    ['a*a', 'a', false],
    ['**x', 'ax', true],
    ['Get_*', 'get_x', false],
  ])('%s and %j: %s', (pattern, name, matches) => {
    expect(nameGlob(pattern)(name)).toBe(matches)
  })
})

describe('a quoted uri', () => {
  test.each([
    ['file:///h/*', 'file:///h/a', true],
    ['file:///h/*', 'file:///h/', true],
    ['file:///h/*', 'file:///h/a/b', false],
    ['file:///h/**', 'file:///h/a/b', true],
    ['file:///h/**', 'file:///h/', true],
    ['file:///h/**', 'file:///h', false],
    ['file:///**/x.md', 'file:///a/b/x.md', true],
    ['file:///**/x.md', 'file:///x.md', false],
    ['file:///*/**.md', 'file:///a/b/c.md', true],
    ['file:///*/x', 'file:///a/b/x', false],
    ['a.c', 'abc', false],
    ['**', '', true],
  ])('%s and %s: %s', (pattern, uri, matches) => {
    expect(uriGlob(pattern)(uri)).toBe(matches)
  })

  test('of many stars is no bomb', () => {
    expect(uriGlob('**a*'.repeat(50))('a'.repeat(5000))).toBe(true)
    expect(uriGlob(`${'**a*'.repeat(50)}b`)('a'.repeat(5000))).toBe(false)
    expect(nameGlob(`${'a*'.repeat(500)}b`)('a'.repeat(50_000))).toBe(false)
  })
})

test('a quoted name is literal, an unquoted read any uri', () => {
  expect(nameMatcher({ action: 'call', name: 'get_*', quoted: true })('get_x')).toBe(false)
  expect(nameMatcher({ action: 'method', name: 'sampling/createMessage', quoted: true })('sampling/createMessage')).toBe(true)
  expect(nameMatcher({ action: 'read', name: '*', quoted: false })('file:///a/b')).toBe(true)
})

test("a star in the server's place never means the gateway's own tools", () => {
  for (const pattern of ['*', 'gate*', '*way', 'gatewa*y']) expect(serverMatcher(pattern)('gateway')).toBe(false)
  expect(serverMatcher('gateway')('gateway')).toBe(true)
  expect(serverMatcher('gate*')('gate')).toBe(true)
})
