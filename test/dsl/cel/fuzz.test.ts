// No text makes the compiler fall, and whatever it tells stands inside the text.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bindings, compiled, findings } from './conditions.ts'

const seeds = [
  'args.customer_id == principal.claims.customer_id && (!has(args.limit) || args.limit <= 100)',
  'args.items.exists(x, x.name.matches("^(a|b)+$") && x.n in [1, 2u, 3.5])',
  '{"a": [1, -2], true: null}["a"][0] > 0 ? request.time.getHours("+02:00") < 9 : !sql.is_select(args.q)',
  'r"raw\\d" + """triple""" == \'x\' || cel.bind(y, 1, y) || args.?x.orValue(1) // comment',
]
const pieces = fc.constantFrom(
  ...Array.from('()[]{}.,:?!-+*/%<>=&|"\'\\ \n\u00e9\ud83d\ude00'),
  'args',
  'has(',
  '.all(x,',
  'matches("(',
  ' in ',
  '0x',
  '1e',
  '9'.repeat(30),
  'b"',
  '\ud800',
  '\0',
)

const mutated = fc
  .tuple(fc.constantFrom(...seeds), fc.array(fc.tuple(fc.nat(200), fc.nat(4), pieces), { maxLength: 4 }))
  .map(([text, edits]) => edits.reduce((now, [at, cut, piece]) => now.slice(0, at) + piece + now.slice(at + cut), text))

test('random and mutated text is compiled or refused', () => {
  const tally = { compiled: 0, refused: 0 }
  fc.assert(
    fc.property(
      fc.oneof(
        mutated,
        fc.array(pieces, { maxLength: 30 }).map(all => all.join('')),
        fc.string({ unit: 'binary' }),
      ),
      text => {
        const found = findings(text)
        for (const { span, message } of found) {
          expect(span.start).toBeGreaterThanOrEqual(0)
          expect(span.end).toBeGreaterThanOrEqual(span.start)
          expect(span.end).toBeLessThanOrEqual(text.length)
          expect(message).not.toMatch(/[\n\r]|undefined|TypeError|\[object/)
        }
        if (found.length > 0) return void tally.refused++
        tally.compiled++
        expect(['boolean', 'object']).toContain(
          typeof compiled(text).evaluate(bindings({ items: [1, { name: 'a', n: 1 }], q: 'SELECT 1' })),
        )
      },
    ),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 3_000), seed: Number(process.env.FUZZ_SEED ?? 5) },
  )
  expect(tally.compiled).toBeGreaterThan(20)
}, 600_000)
