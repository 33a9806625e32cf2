// A second opinion: random conditions on random arguments mean the same to another implementation of CEL.
import { run } from '@bufbuild/cel'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileCondition } from '../../../dsl/cel/compile.ts'
import { bindings, slice } from './conditions.ts'

const field = fc.constantFrom('a', 'b', 'c', 'constructor', '__proto__')
const scalar = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  // No empty text, and no double(): the other one reads text that is no number as 0 and NaN.
  fc.constantFrom('a', 'ab', 'b', 'äß', '😀x', 'constructor'),
  fc.constantFrom(0.5, -1.5, 2.25),
  fc.boolean(),
  fc.constant(null),
)
const literal = fc.oneof(
  fc.constantFrom('-3', '-1', '0', '1', '2', '1.0', '0.5', '1u', 'true', 'false', 'null'),
  fc.constantFrom('"a"', '"ab"', '"äß"', '"😀x"', '"constructor"'),
  fc.constantFrom('[]', '[1, 2]', '["a", "b"]', '[1.0]', '{}', '{"a": 1}', '{"constructor": "a"}'),
)
const json = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 2, depthIdentifier: 'json' },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(field, tie('value'), { maxKeys: 3, noNullPrototype: false }),
  ),
})).value
// The other one takes a field that is null for one that is not there.
const args = fc.dictionary(
  field,
  json.filter(one => one !== null),
  { maxKeys: 4, noNullPrototype: false },
)

const { expression } = fc.letrec<{ expression: string; value: string }>(tie => {
  const value = tie('value')
  const part = tie('expression')
  const joined = (operators: readonly string[]) =>
    fc.tuple(value, fc.constantFrom(...operators), value).map(([a, op, b]) => `(${a} ${op} ${b})`)
  return {
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      literal,
      field.map(name => `args.${name}`),
      fc.tuple(field, field).map(([a, b]) => `args.${a}.${b}`),
      fc.constantFrom('x', 'args.a[0]', 'args["b"]', 'dyn(args.c)'),
      fc
        .tuple(
          value,
          fc.constantFrom(
            'size()',
            'startsWith("a")',
            'contains("b")',
            'endsWith("")',
            'matches("^a|b$")',
            'map(x, x)',
            'filter(x, x == 1)',
          ),
        )
        .map(([a, call]) => `(${a}).${call}`),
      fc.tuple(fc.constantFrom('int', 'uint', 'string', 'bool', 'size', 'type', 'dyn', '-'), value).map(([name, a]) => `${name}(${a})`),
      joined(['+', '-', '*', '/', '%']),
      part,
    ),
    expression: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      joined(['==', '!=', '<', '<=', '>', '>=', 'in']),
      fc.tuple(part, fc.constantFrom('&&', '||'), part).map(([a, op, b]) => `(${a} ${op} ${b})`),
      part.map(a => `!${a}`),
      field.map(name => `has(args.${name})`),
      fc.tuple(part, part, part).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
      fc.tuple(value, fc.constantFrom('all', 'exists', 'exists_one'), part).map(([a, macro, b]) => `(${a}).${macro}(x, ${b})`),
    ),
  }
})

function theirs(text: string, values: Readonly<Record<string, unknown>>): boolean | 'error' {
  try {
    const result: unknown = run(text, { args: input(values) } as never)
    return typeof result === 'boolean' ? result : 'error'
  } catch {
    return 'error'
  }
}
function input(json: unknown): unknown {
  if (typeof json === 'number') return Number.isInteger(json) ? BigInt(json) : json
  if (Array.isArray(json)) return json.map(input)
  return typeof json === 'object' && json !== null ? new Map(Object.entries(json).map(([key, one]) => [key, input(one)])) : json
}

test('random conditions mean the same to both', () => {
  const tally = { true: 0, false: 0, error: 0, refused: 0 }
  fc.assert(
    fc.property(expression, args, (text, values) => {
      const { condition } = compileCondition(slice(text), { lets: new Map(), variables: new Set(['args']) })
      if (condition === undefined) return void tally.refused++
      const truth = condition.evaluate(bindings(values))
      const ours = typeof truth === 'boolean' ? truth : 'error'
      tally[String(ours) as keyof typeof tally]++
      expect([text, ours]).toEqual([text, theirs(text, values)])
    }),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 4_000), seed: Number(process.env.FUZZ_SEED ?? 11) },
  )
  console.log(`CEL differential: ${JSON.stringify(tally)}`)
  for (const kind of ['true', 'false', 'error'] as const) expect(tally[kind]).toBeGreaterThan(50)
}, 600_000)
