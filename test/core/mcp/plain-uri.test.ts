// What a uri means is seen through however it is written; what means nothing else stays as it is.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isAmbiguous, plainUri } from '../../../core/mcp/plain-uri.ts'

const passwd = 'file:///etc/passwd'
it.each([
  'file:///docs/../etc/passwd',
  'file:///docs/%2e%2e/etc/passwd',
  'file:///docs/.%2E/etc/passwd',
  'file:///docs/..%2fetc/passwd',
  'file:///docs/..%5Cetc\\passwd',
  'file:///docs\\..\\etc/passwd',
  'file:///docs/x/./../../etc/passwd',
  'file:///../../etc/passwd',
  'FILE:///docs/../etc/passwd',
  'fi\nle:///docs/.\t./etc/passwd',
  '  file:///docs/../etc/passwd',
])('%j leads to %s', uri => {
  expect(plainUri(uri)).toBe(passwd)
})

it.each([
  'x://a/b%2Fc',
  'note://Title of Mine/ä ö',
  'x:y',
  'x://a/..b/c..',
  'x://a/b?c=../d#../e',
  'mem://a//b',
  'urn:isbn:1',
  'https://a.example/%41',
  '',
])('%j stays as it is', uri => {
  expect(plainUri(uri)).toBe(uri)
})

it.each([
  ['file:///docs//../etc/passwd', true],
  ['file:///docs/a//b/../../etc', true],
  ['file:///docs/%2f..%2fetc', true],
  ['file:////../etc', true],
  ['file:///docs/../a//b', false],
  ['file:///docs//a/', false],
  ['file:///docs/x/../', false],
  ['mem://a//b?c//../d', false],
])('%j is read differently by different readers: %s', (uri, ambiguous) => {
  expect(isAmbiguous(uri)).toBe(ambiguous)
})

it('as a url parser has it, and no further: what is plain stays plain', () => {
  const piece = fc.constantFrom('..', '.', 'a', '%2e', '%2E.', '/', '\\', '/', 'b')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), pieces => {
      const path = `/docs/${pieces.join('')}`
      const plain = plainUri(`file://${path}`)
      const parsed = new URL(`file://${path.replaceAll('\\', '/')}`).href
      // The parser of Node 20 leaves dots where a segment begins with one, as in `/.a/..`.
      fc.pre(!/\/\.\.?(?:\/|$)/.test(new URL(parsed).pathname))
      const written = (uri: string): string => uri.replaceAll('\\', '/').replace(/%2e/gi, '.')
      expect(written(plain)).toBe(written(parsed))
      expect(plainUri(plain)).toBe(plain)
    }),
  )
})
