// CEF by the rules that ArcSight publishes (Common Event Format, Implementation Standard, "Character Encoding"), each with a case written out by hand:
// what the writer makes of it, and that the reader of these tests reads the standard's own examples as the standard explains them.
import { expect, test } from 'vitest'
import { toCef } from '../../../../plugins/audit/exports/cef.ts'
import type { Fields } from '../../../../plugins/audit/exports/event.ts'
import { readCef } from './cef-reader.ts'
import { eventOf } from './samples.ts'

test.each([
  [
    'CEF:0|security|threatmanager|1.0|100|detected a \\| in message|10|src=10.0.0.1 act=blocked a | dst=1.1.1.1',
    'detected a | in message',
    'blocked a |',
  ],
  [
    'CEF:0|security|threatmanager|1.0|100|detected a \\\\ in packet|10|src=10.0.0.1 act=blocked a \\\\ dst=1.1.1.1',
    'detected a \\ in packet',
    'blocked a \\',
  ],
  [
    'CEF:0|security|threatmanager|1.0|100|detected a = in message|10|src=10.0.0.1 act=blocked a \\= dst=1.1.1.1',
    'detected a = in message',
    'blocked a =',
  ],
])('the reader understands the example of the standard %s', (line, name, act) => {
  const { head, fields } = readCef(line)
  expect(head).toEqual(['CEF:0', 'security', 'threatmanager', '1.0', '100', name, '10'])
  expect(Object.fromEntries(fields)).toEqual({ src: '10.0.0.1', act, dst: '1.1.1.1' })
})

/** The line up to the extension, and the one key of it. */
function written(type: string, body: Fields, key: string): { readonly head: string; readonly value: string | undefined } {
  const line = toCef(eventOf(type, body), '0.1.0')
  const [, head, extension] = /^((?:(?:[^|\\]|\\.)*\|){7})(.*)$/s.exec(line)!
  return { head: head!, value: new RegExp(`(?:^| )${key}=(.*?)(?= [A-Za-z0-9]+=|$)`, 's').exec(extension!)?.[1] }
}

test.each([
  ['a pipe is escaped in the head', 'key.create|x', 'CEF:0|mcpgw|mcpgw|0.1.0|key.create\\|x|key.create\\|x|1|'],
  ['a backslash is escaped in the head', 'a\\b', 'CEF:0|mcpgw|mcpgw|0.1.0|a\\\\b|a\\\\b|1|'],
  ['a backslash before a pipe hides no end of a field', 'a\\|b', 'CEF:0|mcpgw|mcpgw|0.1.0|a\\\\\\|b|a\\\\\\|b|1|'],
  ['an equals sign stays as it is in the head', 'a=b', 'CEF:0|mcpgw|mcpgw|0.1.0|a=b|a=b|1|'],
  ['a blank stays as it is in the head', 'a b', 'CEF:0|mcpgw|mcpgw|0.1.0|a b|a b|1|'],
  ['a line break ends no head', 'a\nb', 'CEF:0|mcpgw|mcpgw|0.1.0|a\\\\u{a}b|a\\\\u{a}b|1|'],
])('%s', (_rule, type, head) => {
  expect(written(type, {}, 'rt').head).toBe(head)
})

test.each([
  ['a pipe stays as it is in a value', 'a|b', 'a|b'],
  ['a backslash is escaped in a value', 'c:\\program files\\x', 'c:\\\\program files\\\\x'],
  ['an equals sign is escaped in a value', 'a=b', 'a\\=b'],
  ['what looks like a key begins none', 'x act=allow src=1.2.3.4', 'x act\\=allow src\\=1.2.3.4'],
  ['a backslash before an equals sign hides no key', 'x\\=y', 'x\\\\\\=y'],
  ['a backslash at the end does not reach the next key', 'x\\', 'x\\\\'],
  ['blanks stay as they are in a value', 'a  b', 'a  b'],
  ['a line break begins no other event', 'a\nCEF:0|x', 'a\\\\u{a}CEF:0|x'],
  ['a carriage return neither', 'a\rb', 'a\\\\u{d}b'],
  ['what is beyond ASCII is UTF-8', 'Zoë 東京', 'Zoë 東京'],
])('%s', (_rule, reason, value) => {
  const body: Fields = { decision: { outcome: 'deny', code: 'denied', reason } }
  expect(written('refusal', body, 'msg').value).toBe(value)
  expect(readCef(toCef(eventOf('refusal', body), '0.1.0')).fields.get('act')).toBe('deny')
})

test('the severity is one of 0 to 10, times are milliseconds, and each custom field has its label', () => {
  const { head, fields } = readCef(
    toCef(eventOf('outcome', { tenant: 'acme', server: 's', tool: 't', callId: 'c', durationMs: 2.6 }), '0.1.0'),
  )
  expect(head[6]).toMatch(/^([0-9]|10)$/)
  expect(fields.get('rt')).toMatch(/^\d{13}$/)
  for (const key of fields.keys()) if (/^(cs|cn|c6a)\d$/.test(key)) expect(fields.get(`${key}Label`)).toBeTruthy()
  expect(fields.get('cn1')).toBe('3')
})
