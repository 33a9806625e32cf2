// Sets of values: what is claimed of them holds of every value that is tried.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  above,
  below,
  complementOf,
  containsNumber,
  type IntervalSet,
  intersectionOf,
  pickOf,
  points,
  unionOf,
} from '../../../dsl/analysis/intervals.ts'
import {
  noStringPasses,
  oneOf,
  otherStrings,
  passes,
  pickString,
  type StringTest,
  stringsOfLength,
  stringsWith,
} from '../../../dsl/analysis/strings.ts'

const runs = { numRuns: Number(process.env.FUZZ_RUNS ?? 300), seed: Number(process.env.FUZZ_SEED ?? 4) }
const number = fc.oneof(fc.integer({ min: -5, max: 5 }), fc.bigInt(-5n, 5n), fc.constantFrom(0.5, -1.5, 2n ** 60n))
const simple: fc.Arbitrary<IntervalSet> = fc.oneof(
  fc.array(number, { maxLength: 3 }).map(points),
  fc.tuple(number, fc.boolean()).map(([value, open]) => below(value, open)),
  fc.tuple(number, fc.boolean()).map(([value, open]) => above(value, open)),
)
const sets = fc.tuple(simple, simple, fc.constantFrom(unionOf, intersectionOf)).map(([a, b, join]) => join(a, b))

const word = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 3 })
const test: fc.Arbitrary<StringTest> = fc
  .tuple(
    fc.oneof(
      fc.array(word, { maxLength: 3 }).map(oneOf),
      fc.tuple(fc.constantFrom('startsWith', 'endsWith', 'contains'), word).map(([kind, text]) => stringsWith(kind as 'contains', text)),
      fc.constantFrom('^ab', 'a.', '^(a|bb)$', '^a\\.b$', 'b$', '').map(pattern => stringsWith('matches', pattern)),
      fc.tuple(fc.nat(3), fc.nat(3)).map(([a, b]) => stringsOfLength(a, b)),
    ),
    fc.boolean(),
  )
  .map(([one, negated]) => (negated ? otherStrings(one) : one))

describe('sets of numbers', () => {
  it('hold a number where its complement does not, and where both of an intersection do', () => {
    fc.assert(
      fc.property(sets, sets, number, (a, b, value) => {
        expect(containsNumber(complementOf(a), value)).toBe(!containsNumber(a, value))
        expect(containsNumber(intersectionOf(a, b), value)).toBe(containsNumber(a, value) && containsNumber(b, value))
        expect(containsNumber(unionOf(a, b), value)).toBe(containsNumber(a, value) || containsNumber(b, value))
      }),
      runs,
    )
  })

  it('give numbers of their own', () => {
    fc.assert(
      fc.property(sets, fc.boolean(), (set, whole) => {
        const picked = pickOf(set, whole)
        if (picked !== undefined) expect(containsNumber(set, picked)).toBe(true)
      }),
      runs,
    )
  })
})

describe('tests on strings', () => {
  it('are called impossible only where no text passes them all', () => {
    fc.assert(
      fc.property(fc.array(test, { minLength: 1, maxLength: 4 }), fc.array(word, { maxLength: 20 }), (tests, texts) => {
        if (!noStringPasses(tests)) return
        for (const text of texts) expect(tests.every(one => passes(text, one))).toBe(false)
      }),
      runs,
    )
  })

  it('give texts that pass them', () => {
    fc.assert(
      fc.property(fc.array(test, { maxLength: 3 }), tests => {
        const text = pickString(tests)
        if (text !== undefined) expect(tests.every(one => passes(text, one))).toBe(true)
      }),
      runs,
    )
  })
})
