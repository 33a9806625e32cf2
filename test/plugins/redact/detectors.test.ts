// Recall on generated values, and what must stay, detector by detector.
import { expect, test } from 'vitest'
import { selectDetectors, usual } from '../../../plugins/redact/catalog.ts'
import { maskText } from '../../../plugins/redact/masker.ts'
import { compileScanner } from '../../../plugins/redact/scanner.ts'
import { cards, emails, grouped, ibans, lookalikes, secretValues, ssns } from './corpus.ts'

const scanner = compileScanner(selectDetectors(usual, {}))
const frames = ['@', '"@"', 'number=@;', 'pay with @, please', 'that was @.', '(@)', 'first\n@\nlast', 'x: @']

function mask(text: string, key = ''): string {
  return maskText(scanner, text, key, new Map())
}

/** The value in each frame, where `mask` must leave nothing of it but `rest`. */
function expectMasked(value: string, rest: string): void {
  for (const frame of frames) expect(mask(frame.replace('@', () => value))).toBe(frame.replace('@', () => rest))
}

function lastFour(value: string): string {
  let left = value.replace(/[^A-Za-z0-9]/g, '').length - 4
  return value.replace(/[A-Za-z0-9]/g, character => (left-- > 0 ? '*' : character))
}

test('a card of any issuer and length is masked but for its last four digits, with and without separators', () => {
  const numbers = cards()
  expect(numbers.length).toBeGreaterThan(40)
  for (const number of numbers) {
    for (const form of [number, grouped(number, ' '), grouped(number, '-'), grouped(number, ' - '), number.split('').join(' ')]) {
      expectMasked(form, lastFour(form))
    }
  }
})

test('a card is found behind another number of the same row', () => {
  expect(mask('12 4111 1111 1111 1111 123')).toBe('12 **** **** **** 1111 123')
  expect(mask('4111 1111 1111 1111 5500 0000 0000 0004')).toBe('**** **** **** 1111 **** **** **** 0004')
})

test('an SSN with dashes is masked anywhere, a bare one only where a word near by says so', () => {
  for (const number of ssns()) {
    expectMasked(number, lastFour(number))
    const bare = number.replaceAll('-', '')
    expect(mask(`SSN: ${bare}`)).toBe(`SSN: ${lastFour(bare)}`)
    expect(mask(`social security no. ${number.replaceAll('-', ' ')}`)).toBe(`social security no. ${lastFour(number.replaceAll('-', ' '))}`)
    expect(mask(bare, 'patientSsn')).toBe(lastFour(bare))
    expect(mask(bare, 'patient_ssn')).toBe(lastFour(bare))
    expect(mask(`invoice ${bare}`)).toBe(`invoice ${bare}`)
  }
})

test('an IBAN of every country is masked, together or in fours', () => {
  for (const number of ibans()) {
    expectMasked(number, lastFour(number))
    const fours = number.replace(/.{4}(?=.)/g, '$& ')
    expectMasked(fours, lastFour(fours))
  }
  expectMasked('GB29 NWBK 6016 1331 9268 19', '**** **** **** **** **68 19')
})

test('an e-mail address is replaced by its type', () => {
  for (const address of emails) expectMasked(address, '[EMAIL]')
  expect(mask('邮箱是ann@example.com。')).toBe('邮箱是[EMAIL]。')
})

test('a secret in each common form is replaced by its type', () => {
  for (const [id, value] of secretValues()) expectMasked(value, `[${id.toUpperCase().replaceAll('-', '_')}]`)
})

test('a private key without its end takes the rest of the text along', () => {
  expect(mask('key: -----BEGIN EC PRIVATE KEY-----\nMHcCAQEEI')).toBe('key: [PRIVATE_KEY]')
})

test('of a connection string only the password goes', () => {
  expect(mask('postgres://app:s3cr3t@db.example.com:5432/main')).toBe('postgres://app:[PASSWORD]@db.example.com:5432/main')
  expect(mask('redis://:p@ss@cache.example.com')).toBe('redis://:[PASSWORD]@cache.example.com')
  expect(mask('Server=db;User Id=app;Password=s3cr3t;Timeout=3')).toBe('Server=db;User Id=app;Password=[PASSWORD];Timeout=3')
  expect(mask('if (password=input) {')).toBe('if (password=input) {')
})

test('a bearer token goes, the word before it stays', () => {
  expect(mask('Authorization: Bearer abc123def456ghi789')).toBe('Authorization: Bearer [BEARER]')
})

test('identifiers, hashes, dates, versions and other look-alikes are returned as the same string', () => {
  for (const text of lookalikes()) {
    for (const frame of frames) {
      const whole = frame.replace('@', () => text)
      expect(mask(whole)).toBe(whole)
    }
  }
})
