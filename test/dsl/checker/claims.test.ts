// What the checker claims holds of every call that is tried: random bundles and calls, decided by the evaluator itself.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Bundle, CheckedPolicy, ResolvedRule } from '../../../dsl/bundle/bundle.ts'
import { resolveBundle } from '../../../dsl/bundle/resolve.ts'
import type { CheckContext } from '../../../dsl/checker/context.ts'
import { logicAdviceChecks, logicErrorChecks } from '../../../dsl/checker/logic.ts'
import type { Diagnostic } from '../../../dsl/diagnostics/diagnostic.ts'
import { createEvaluator } from '../../../dsl/evaluator/evaluator.ts'
import type { Facts } from '../../../dsl/facts.ts'
import type { Lock } from '../../../dsl/lock/lock.ts'
import { parsePolicy } from '../../../dsl/syntax/parse.ts'
import type { Value } from '../../../dsl/value.ts'

const numRuns = Number(process.env.FUZZ_RUNS ?? 100)
const seed = Number(process.env.FUZZ_SEED ?? 4)

const inputSchema = {
  type: 'object',
  properties: {
    n: { type: 'integer', minimum: 0, maximum: 10 },
    s: { type: 'string' },
    e: { type: 'string', enum: ['EUR', 'USD'] },
    b: { type: 'boolean' },
    l: { type: 'array', items: { type: 'string' } },
  },
  required: ['s', 'e'],
}
const tools = ['get_a', 'get_b', 'set_a'].map(name => ({ name, digest: 'x', inputSchema }))
const server = { tools, resources: [], templates: [], prompts: [] }
const lock: Lock = { v: 1, servers: { crm: server, git: server }, roles: [], tenants: [], dischargers: [] }

const atom = fc.oneof(
  fc.tuple(fc.constantFrom('<', '<=', '>', '>=', '==', '!='), fc.integer({ min: -1, max: 11 })).map(([op, n]) => `args.n ${op} ${n}`),
  fc.constantFrom(
    'has(args.n)',
    'has(args.b)',
    'has(args.l)',
    'args.b',
    'args.e == "EUR"',
    'args.e != "USD"',
    'args.e in ["EUR", "USD"]',
    'args.e == "eur"',
  ),
  fc.constantFrom(
    'args.s.startsWith("a")',
    'args.s.startsWith("ab")',
    'args.s == "ab"',
    'args.s in ["ab", "b"]',
    'args.s.contains("b")',
    'args.s.matches("^ab$")',
  ),
  fc.constantFrom(
    'size(args.l) > 0',
    'args.l.exists(x, x == "a")',
    'size(args.s) < 3',
    '"a" in args.l',
    'args.s == args.e',
    'args.s < "b"',
  ),
  fc.constantFrom(
    'principal.claims.k == "a"',
    'has(principal.claims.k)',
    'principal.id == "ann"',
    '"lead" in principal.roles',
    'tool.name == "get_a"',
    'true',
    'false',
  ),
)
const condition: fc.Arbitrary<string> = fc.letrec<{ cond: string }>(tie => ({
  cond: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    atom,
    fc.tuple(tie('cond'), tie('cond')).map(([a, b]) => `(${a} && ${b})`),
    fc.tuple(tie('cond'), tie('cond')).map(([a, b]) => `(${a} || ${b})`),
    tie('cond').map(a => `!(${a})`),
    fc.tuple(tie('cond'), tie('cond'), tie('cond')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
  ),
})).cond
const who = fc.constantFrom(
  'any',
  'role lead',
  'role support',
  'agent ann',
  'role lead in tenant acme',
  'any except role lead',
  'role lead, role support except agent ann',
)
const target = fc.constantFrom('crm/get_*', 'crm/get_a', 'crm/*', '*/*', 'git/set_a', '*/get_* except git/*', 'crm/get_a, git/*')
const clause = fc.constantFrom('when', 'unless')
const rule = fc
  .record({ effect: fc.constantFrom('allow', 'deny', 'allow', 'deny', 'require'), who, target, clause, condition: fc.option(condition) })
  .map(
    ({ effect, who, target, clause, condition }) =>
      (name: string) =>
        `${effect} ${name} { who ${who} call ${target} ${condition === null ? '' : `${clause} { ${condition} }`} ${effect === 'require' ? 'then log(meta)' : ''} }`,
  )
const bundles = fc
  .array(rule, { minLength: 2, maxLength: 5 })
  .map(rules => `policy "x" edition 1\n${rules.map((make, i) => make(`r${i}`)).join('\n')}\n`)

const args = fc.record(
  {
    n: fc.bigInt(0n, 10n),
    s: fc.constantFrom('', 'a', 'ab', 'abc', 'b', 'ba', 'EUR'),
    e: fc.constantFrom('EUR', 'USD'),
    b: fc.boolean(),
    l: fc.array(fc.constantFrom('a', 'b'), { maxLength: 2 }),
  },
  { requiredKeys: ['s', 'e'] },
)
const facts: fc.Arbitrary<Facts> = fc
  .record({
    id: fc.constantFrom('ann', 'bob'),
    roles: fc.subarray(['lead', 'support']),
    tenant: fc.constantFrom('acme', 'other'),
    claim: fc.option(fc.constantFrom<Value>('a', 'b', 1n)),
    server: fc.constantFrom('crm', 'git'),
    name: fc.constantFrom('get_a', 'get_b', 'set_a'),
    args,
  })
  .map(({ id, roles, tenant, claim, server, name, args }) => ({
    principal: { id, roles, tenant, claims: new Map<string, Value>(claim === null ? [] : [['k', claim]]) },
    action: 'call',
    server,
    name,
    args: new Map<string, Value>(Object.entries(args)),
    request: { time: new Date(0) },
  }))
const calls = fc.array(facts, { minLength: 40, maxLength: 40 })

function read(text: string): Bundle {
  const { file } = parsePolicy({ file: 'x.policy', text })
  const { bundle, diagnostics } = resolveBundle(file ? [file] : [], new Set(['log']))
  expect(diagnostics.filter(one => one.severity === 'error')).toEqual([])
  return bundle
}
function check(bundle: Bundle, given: Lock | undefined): readonly Diagnostic[] {
  const context = { lock: given, dischargers: new Set<string>(), now: new Date() } as CheckContext
  return [...logicErrorChecks, ...logicAdviceChecks].flatMap(one => [...one(bundle, context)])
}
const ruleAt = (bundle: Bundle, at: Diagnostic): ResolvedRule =>
  bundle.rules.find(({ span }) => span.start <= at.span.start && at.span.end <= span.end)!
const decide = (rules: readonly ResolvedRule[], call: Facts): ReturnType<ReturnType<typeof createEvaluator>['decide']> =>
  createEvaluator({ files: [], rules } as unknown as CheckedPolicy).decide(call)
/** Alone, as if it were an allow or a deny: whether it matches. */
const matches = (rule: ResolvedRule, call: Facts): boolean =>
  decide([rule.effect === 'require' ? { ...rule, effect: 'deny', obligations: [] } : rule], call).by !== 'default'

const seen = new Map<string, number>()
function holds(bundle: Bundle, found: readonly Diagnostic[], tried: readonly Facts[]): void {
  for (const one of found) {
    const rule = ruleAt(bundle, one)
    seen.set(one.code, (seen.get(one.code) ?? 0) + 1)
    const others = bundle.rules.filter(other => other !== rule)
    for (const call of tried) {
      const clash = (): string =>
        `${one.code} ${one.message}\n${JSON.stringify(call, (_, value) => (typeof value === 'bigint' ? Number(value) : value instanceof Map ? Object.fromEntries(value) : value))}`
      if (one.code === 'never-matches') expect(matches(rule, call), clash()).toBe(false)
      else if (one.code === 'always-true') {
        const truth = decide([{ ...rule, who: [{ roles: [], agents: [], tenants: [] }], notWho: [] }], call)
        const aimed = decide(
          [
            {
              effect: 'allow',
              name: rule.name,
              shadow: false,
              span: rule.span,
              nameSpan: rule.nameSpan,
              who: [{ roles: [], agents: [], tenants: [] }],
              notWho: [],
              targets: rule.targets,
              notTargets: rule.notTargets,
              obligations: [],
            },
          ],
          call,
        )
        if (aimed.outcome === 'allow' && truth.errors.length === 0 && rule.effect !== 'require')
          expect(truth.by, clash()).not.toBe('default')
      } else if (one.code === 'overridden') {
        if (decide([rule], call).outcome === 'allow') expect(decide(bundle.rules, call).outcome, clash()).toBe('deny')
      } else if (one.code === 'shadowed' && matches(rule, call)) {
        expect(
          others.some(other => other.effect === rule.effect && matches(other, call)),
          clash(),
        ).toBe(true)
      }
    }
  }
}

describe('what the checker claims', () => {
  it('holds of every call that fits the schemas', () => {
    fc.assert(
      fc.property(bundles, calls, (text, tried) => {
        const bundle = read(text)
        holds(bundle, check(bundle, lock), tried)
      }),
      { numRuns, seed },
    )
    for (const code of ['never-matches', 'always-true', 'overridden', 'shadowed', 'unguarded-guard', 'impossible-value'])
      expect(seen.get(code), code).toBeGreaterThan(0)
  })

  it('holds without a lock too', () => {
    fc.assert(
      fc.property(bundles, calls, (text, tried) => {
        const bundle = read(text)
        holds(bundle, check(bundle, undefined), tried)
      }),
      { numRuns, seed },
    )
  })

  it('leaves no condition that errs, where nothing is found and the claims are there', () => {
    let clean = 0
    fc.assert(
      fc.property(bundles, calls, (text, tried) => {
        const bundle = read(text)
        const found = check(bundle, lock)
        if (found.some(one => one.severity === 'error' || one.code === 'unguarded-allow')) return
        clean++
        for (const call of tried) {
          if (!(call.principal.claims as ReadonlyMap<string, Value>).has('k')) continue
          expect(decide(bundle.rules, call).errors, text).toEqual([])
        }
      }),
      { numRuns, seed },
    )
    expect(clean).toBeGreaterThan(0)
  })
})
