// Containment and intersection of patterns, against all short texts.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contains, type Glob, literalGlob, meansAlso, meet, nameGlob, uriGlob } from '../../../dsl/analysis/glob.ts'

const runs = { numRuns: Number(process.env.FUZZ_RUNS ?? 300), seed: Number(process.env.FUZZ_SEED ?? 4) }
const text = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 5 })
const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*'), maxLength: 5 })
const globs: fc.Arbitrary<Glob> = fc.oneof(
  pattern.map(uriGlob),
  pattern.map(one => nameGlob(one.replaceAll('/', 'b'))),
)

/** Every text of up to 4 letters: enough to tell short patterns apart. */
const texts: readonly string[] = [0, 1, 2, 3].reduce<readonly string[]>(
  all => [...new Set([...all, ...all.flatMap(one => ['a', 'b', '/', 'c'].map(char => one + char))])],
  [''],
)

describe('globs', () => {
  it('contain what they say, and no more', () => {
    expect(contains(nameGlob('get_*'), nameGlob('get_*_all'))).toBe(true)
    expect(contains(nameGlob('get_*_all'), nameGlob('get_*'))).toBe(false)
    expect(contains(nameGlob('*'), literalGlob('a/b'))).toBe(false)
    expect(contains(uriGlob('file:///a/**'), uriGlob('file:///a/*'))).toBe(true)
    expect(contains(uriGlob('file:///a/*'), uriGlob('file:///a/**'))).toBe(false)
    expect(meet(nameGlob('a*'), nameGlob('*b'))).toBe(true)
    expect(meet(nameGlob('a*'), nameGlob('b*'))).toBe(false)
  })

  it('contain one another only where every text of one is a text of the other', () => {
    fc.assert(
      fc.property(globs, globs, text, (outer, inner, one) => {
        if (!contains(outer, inner)) return
        for (const candidate of [one, ...texts]) if (meansAlso(inner, candidate)) expect(meansAlso(outer, candidate)).toBe(true)
      }),
      runs,
    )
  })

  it('meet wherever a text is found that both mean', () => {
    fc.assert(
      fc.property(globs, globs, (a, b) => {
        if (texts.some(one => meansAlso(a, one) && meansAlso(b, one))) expect(meet(a, b)).toBe(true)
      }),
      runs,
    )
  })
})
