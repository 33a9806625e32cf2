// Values in disguise: other digits, invisible characters, odd spaces, overlaps, and text that replacement patterns would misread.
import { expect, test } from 'vitest'
import { selectDetectors } from '../../../plugins/redact/catalog.ts'
import { maskText, type Tally } from '../../../plugins/redact/masker.ts'
import { compileScanner } from '../../../plugins/redact/scanner.ts'
import { hold } from '../../fuzz/law.ts'
import { isMaskedForGood, mask, noValueIsLeft } from './laws.ts'

test('digits of other scripts and full-width forms are read as what they stand for', () => {
  const arabic = '4111111111111111'
    .split('')
    .map(digit => String.fromCodePoint(0x660 + Number(digit)))
    .join('')
  expect(mask(`card ${arabic} end`)).toBe('card ************1111 end')
  const mathematical = '4111111111111111'
    .split('')
    .map(digit => String.fromCodePoint(0x1d7ce + Number(digit)))
    .join('')
  expect(mask(`card ${mathematical} end`)).toBe('card ************1111 end')
  const wide = (text: string): string => text.replace(/[!-~]/g, character => String.fromCharCode(character.charCodeAt(0) + 0xfee0))
  expect(mask(`to ${wide('ann@example.com')} now`)).toBe('to [EMAIL] now')
  expect(mask(wide('AKIAIOSFODNN7EXAMPLE'))).toBe('[AWS_KEY]')
})

test('invisible characters and odd separators do not split a value', () => {
  expect(mask('4111\u200b1111\u200d1111\ufeff1111')).toBe('************1111')
  expect(mask('A\u2060KIAIOSFODNN7EXAMPLE.')).toBe('[AWS_KEY].')
  expect(mask('4111\u00a01111\u00a01111\u00a01111')).toBe('**** **** **** 1111')
  expect(mask('123\u201345\u20136789')).toBe('***-**-6789')
  expect(mask('before\u200b after ann@exam\u00adple.com\u200b!')).toBe('before\u200b after [EMAIL]!')
})

test('where two detectors overlap the union is replaced, once', () => {
  const tally: Tally = new Map()
  expect(mask(`<sk-ant-${'a1B2c3'.repeat(17)}@example.com>`, tally)).toBe('<[ANTHROPIC_KEY]>')
  expect([...tally.values()]).toEqual([1])
})

test('a value may contain replacement patterns, and be shorter than its replacement', () => {
  expect(mask("$& ann@example.com $1 $' a@b.co")).toBe("$& [EMAIL] $1 $' [EMAIL]")
  expect(mask('postgres://u:$&@db.example')).toBe('postgres://u:$&@db.example')
  expect(mask('postgres://u:a$&b@db.example')).toBe('postgres://u:[PASSWORD]@db.example')
})

test('masking is idempotent, leaves no value behind, and counts each', () => hold(noValueIsLeft, {}))

test('any text at all is masked to something that has no finding left', () => hold(isMaskedForGood, { numRuns: 3000 }))

test('only the detectors asked for run, with the actions asked for', () => {
  const few = compileScanner(selectDetectors(['card', 'email'], { card: 'replace', email: 'mask' }))
  const text = '4111111111111111 ann@example.com 123-45-6789'
  expect(maskText(few, text, '', new Map())).toBe('[CARD] ***@******e.com 123-45-6789')
})
