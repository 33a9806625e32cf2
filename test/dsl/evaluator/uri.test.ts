// However a uri is spelled, it is compared as what it will be understood to be.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { plainUri } from '../../../core/mcp/plain-uri.ts'
import { hasDots, normaliseUri } from '../../../dsl/evaluator/uri.ts'

const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31))
const runs = Number(process.env.FUZZ_RUNS ?? 5000)

describe('normaliseUri', () => {
  test.each([
    ['FILE:///a/b', 'file:///a/b'],
    ['file:///h/../secret', 'file:///secret'],
    ['file:///h/%2e%2E/secret', 'file:///secret'],
    ['file:///h%2f..%2Fsecret', 'file:///secret'],
    ['file:///h\\..\\secret', 'file:///secret'],
    ['file:///h/./x', 'file:///h/x'],
    ['file:///h/%252e%252e/x', 'file:///h/%252e%252e/x'],
    ['file:///h/%7euser/%41', 'file:///h/~user/A'],
    ['file:///h/a%c3%a4', 'file:///h/a%C3%A4'],
    ['file:///h/aä b', 'file:///h/a%C3%A4%20b'],
    ['https://Example.COM:443/A', 'https://example.com/A'],
    ['https://User@Example.com', 'https://user@example.com/'],
    ['http://h:8080/x?Q=../#F', 'http://h:8080/x?Q=../#F'],
    ['memo://Insights/x', 'memo://Insights/x'],
    ['fi\nle:///a', 'file:///a'],
    // Servers that read files make no difference.
    ['file:///h//hr///x', 'file:///h/hr/x'],
    ['file:////h/x', 'file:///h/x'],
    ['file:/h/x', 'file:///h/x'],
    ['file://LocalHost/h/x', 'file:///h/x'],
    ['file:///h%2fhr%5Cx', 'file:///h/hr/x'],
    ['file:///h/a%2Cb%3a%40%5b', 'file:///h/a,b:@['],
    ['file:///h/%2A%25%3F%23', 'file:///h/%2A%25%3F%23'],
    ['x://h/a?b=%26//c', 'x://h/a?b=%26//c'],
    ['file:///\ud800', 'file:///%EF%BF%BD'],
  ])('%j is %s', (uri, plain) => {
    expect(normaliseUri(uri)).toBe(plain)
  })

  test('changes nothing twice, leaves no dots, and agrees with what the gateway makes of a uri', () => {
    const part = fc.constantFrom(
      '..',
      '.',
      'a',
      'B',
      '%2e',
      '%2E%2e',
      '%2f',
      '%5C',
      '\\',
      '/',
      '%41',
      '%2A',
      '%3a',
      '%2C',
      '%c3%a4',
      'ä',
      ' ',
      '?',
      '#',
      ':',
      '%',
      '%zz',
      '*',
      '@',
    )
    const uri = fc
      .tuple(
        fc.constantFrom(
          'file://',
          'FILE:///',
          'https://H:443',
          'x:',
          'file:',
          'file:/',
          'file://localhost',
          'X://Y/',
          '',
          '/',
          'http://u@H:80/',
        ),
        fc.array(part, { maxLength: 9 }),
      )
      .map(([head, parts]) => head + parts.join(''))
    fc.assert(
      fc.property(uri, text => {
        const plain = normaliseUri(text)
        expect(normaliseUri(plain)).toBe(plain)
        // White space that comes to the front is no uri's.
        if (plainUri(text).trim() === plainUri(text)) expect(normaliseUri(plainUri(text))).toBe(plain)
        expect(hasDots(plain)).toBe(false)
      }),
      { seed, numRuns: runs },
    )
  })
})
