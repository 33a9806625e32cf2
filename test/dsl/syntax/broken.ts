// Policies that are broken in any way, and what the parser owes whoever wrote them.
import { deepStrictEqual, notDeepEqual } from 'node:assert/strict'
import fc from 'fast-check'
import { parsePolicy } from '../../../dsl/syntax/parse.ts'
import type { Law } from '../../fuzz/law.ts'
import { policyText } from './texts.ts'

const oddities = [
  ...'policy edition let targets shadow allow deny require who call read when unless after within then because expires any role in test as given at expect'
    .split(' ')
    .map(word => `${word} `),
  ...'{}()[],:=@#"\'/*\\;-.\n\r\t\0'.split(''),
  '"""',
  "'''",
  '//',
  'when {',
  'as {',
  '\nallow x {\n',
  'test "t" {',
  '1h',
  '2027-02-30',
  '99999999999999999999',
  '\uFEFF',
  '\u202E',
  '\uD800',
  'ô',
  '😀',
  '['.repeat(500),
  '{"a":'.repeat(500),
]
const chunk = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...oddities) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
)
/** At a place, take out so many characters and put that in. */
const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  out: fc.oneof(fc.nat({ max: 2 }), fc.nat({ max: 60 })),
  into: fc.oneof(fc.constant(''), chunk),
})
const broken: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(policyText, fc.array(edit, { minLength: 1, maxLength: 5 })).map(([text, edits]) =>
      edits.reduce((now, { at, out, into }) => {
        const from = Math.floor(at * now.length)
        return now.slice(0, from) + into + now.slice(from + out)
      }, text),
    ),
  },
  { weight: 1, arbitrary: fc.array(chunk, { maxLength: 40 }).map(all => all.join('')) },
)

export const isReadOrExplained: Law<string> = {
  input: broken,
  holds(text) {
    const { file, diagnostics } = parsePolicy({ file: 'a.policy', text })
    if (file === undefined) notDeepEqual(diagnostics, [])
    let last = 0
    for (const { span, message } of diagnostics) {
      const isPlaced = span.start >= last && span.end >= span.start && span.end <= text.length
      if (!isPlaced || !message.startsWith('expected ') || /undefined|NaN|[\r\n]|\.$/.test(message))
        deepStrictEqual({ span, message, last }, 'a finding in its place')
      last = span.start
    }
  },
}
