// JSON of strangers is read as JSON.parse reads it, or refused: a key twice, too deep, no object, not UTF-8.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readJsonMap } from '../../../plugins/auth/strict-json.ts'

const read = (text: string) => readJsonMap(Buffer.from(text))

it('every object whose keys are distinct is read as JSON.parse reads it, however it is spaced', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })), fc.constantFrom(undefined, 1, '\t'), (map, space) => {
      const text = JSON.stringify(map, null, space)
      expect(read(text)).toEqual({ map: JSON.parse(text) })
    }),
    { numRuns: 500 },
  )
})

it('a key twice is found at any depth, whatever the key is and however it is escaped', () => {
  const escaped = (text: string): string =>
    Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')
  fc.assert(
    fc.property(fc.string(), fc.jsonValue({ maxDepth: 2 }), fc.nat(5), fc.boolean(), (key, value, depth, isEscaped) => {
      const second = isEscaped ? `"${escaped(key)}"` : JSON.stringify(key)
      const inner = `{${JSON.stringify(key)}:${JSON.stringify(value)},${second}:1}`
      const text = `{"a":${'['.repeat(depth)}${inner}${']'.repeat(depth)}}`
      expect(read(text)).toEqual({ why: 'JSON with a key twice' })
    }),
    { numRuns: 500 },
  )
})

it('the same key in several objects, and as a value, is none twice', () => {
  expect(read('{"a":{"a":["a","a",{"a":"a"},{"a":1}]},"b":"a"}')).toMatchObject({ map: { b: 'a' } })
})

it.each([
  ['', 'no JSON'],
  ['\ufeff{}', 'no JSON'],
  ['{}x', 'no JSON'],
  ['[]', 'no JSON object'],
  ['null', 'no JSON object'],
  ['"{}"', 'no JSON object'],
  [`{"a":${'['.repeat(32)}${']'.repeat(32)}}`, 'JSON of more than 32 levels'],
])('%j is refused: %s', (text, why) => {
  expect(read(text)).toEqual({ why })
})

it('bytes that are not UTF-8 are refused', () => {
  expect(readJsonMap(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toEqual({ why: 'no JSON' })
})
