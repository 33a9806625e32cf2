// An imported bundle decides every call as the YAML says. A second reading of the YAML, written for this test, is the judge.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { readCall } from '../../../dsl/calls/read-call.ts'
import { createEvaluator } from '../../../dsl/evaluator/evaluator.ts'
import type { Facts } from '../../../dsl/facts.ts'
import { importPolicies } from '../../../dsl/import/import-policies.ts'
import { policyOf } from '../policy-of.ts'

interface Condition {
  readonly param: string
  readonly operator: 'eq' | 'neq' | 'in' | 'regex'
  readonly value: string | string[]
}
interface Rule {
  readonly server?: string
  readonly tool?: string
  readonly action: 'allow' | 'deny'
  readonly conditions?: Condition[]
}
interface Policy {
  readonly id: string
  readonly roles: string[]
  readonly rules: Rule[]
}
interface Call {
  readonly roles: string[]
  readonly server: string
  readonly tool: string
  readonly args: Record<string, unknown>
}

const globs = (glob: string | undefined, text: string): boolean =>
  glob === undefined ||
  new RegExp(
    `^${glob
      .split('*')
      .map(part => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('[^]*')}$`,
  ).test(text)
const general = ({ server, tool }: Rule): number => Number([undefined, '*'].includes(server)) + Number([undefined, '*'].includes(tool))
const isDefault = (rule: Rule): boolean => rule.action === 'deny' && general(rule) === 2 && (rule.conditions ?? []).length === 0

function met(condition: Condition, rule: Rule, args: Record<string, unknown>): boolean {
  const { param, operator, value } = condition
  if (!Object.hasOwn(args, param)) return operator === 'neq' && rule.action === 'deny'
  const given = args[param]
  // What has no text is unknown: it opens nothing and closes everything.
  if (typeof given === 'object') return rule.action === 'deny'
  const actual = String(given as string | number | boolean)
  if (operator === 'eq') return actual === value
  if (operator === 'neq') return actual !== value
  return operator === 'in' ? value.includes(actual) : new RegExp(value as string).test(actual)
}

/** What one policy says of a call: the first rule that matches, the more special ones first. */
function says(policy: Policy, policies: readonly Policy[], call: Call): 'allow' | 'deny' | undefined {
  if (!policy.roles.some(role => role === '*' || call.roles.includes(role))) return undefined
  const first = policy.rules
    .toSorted((a, b) => general(a) - general(b))
    .find(
      rule =>
        globs(rule.server, call.server) &&
        globs(rule.tool, call.tool) &&
        (rule.conditions ?? []).every(condition => met(condition, rule, call.args)),
    )
  if (first === undefined || !isDefault(first)) return first?.action
  const ordered = policy.rules.toSorted((a, b) => general(a) - general(b))
  if (ordered.slice(ordered.indexOf(first) + 1).some(({ action }) => action === 'allow')) return 'deny'
  if (policy.rules.some(({ action }) => action === 'allow') || policy.roles.includes('*')) return undefined
  const allowing = new Set(policies.filter(one => one.rules.some(({ action }) => action === 'allow')).flatMap(({ roles }) => roles))
  return policy.roles.some(role => call.roles.includes(role) && !allowing.has(role)) ? 'deny' : undefined
}

function judge(policies: readonly Policy[], call: Call): 'allow' | 'deny' {
  const all = policies.map(policy => says(policy, policies, call))
  return !all.includes('deny') && all.includes('allow') ? 'allow' : 'deny'
}

const tools = ['get_a', 'get_b', 'search_a', 'delete_a', 'get_x/y', 'a_get']
const patterns = ['*', 'get_*', '*_a', 'search_*', 'get_a', 'delete_*', 'get_x/y', 'g*_*']
const servers = ['crm', 'mcp-stripe', 'mcp-fred']
const value = fc.constantFrom('1', 'x', 'acme-1', 'true', 'two\nlines', '')
const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ param: fc.constantFrom('a', 'in', 'x-y'), operator: fc.constantFrom('eq' as const, 'neq' as const), value }),
  fc.record({
    param: fc.constantFrom('a', 'x-y'),
    operator: fc.constant('in' as const),
    value: fc.array(value, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    param: fc.constantFrom('a', 'in'),
    operator: fc.constant('regex' as const),
    value: fc.constantFrom('^acme-', '.s', '^\\w+$', 'l[^x]n', '\\s', '^$'),
  }),
)
const rule: fc.Arbitrary<Rule> = fc.record(
  {
    action: fc.constantFrom('allow' as const, 'allow' as const, 'deny' as const),
    server: fc.constantFrom('*', 'mcp-*', 'crm', 'mcp-stripe'),
    tool: fc.constantFrom(...patterns),
    conditions: fc.array(condition, { maxLength: 2 }),
  },
  { requiredKeys: ['action'] },
)
const roles = ['reader', 'writer', 'admin', 'suspended']
const policies: fc.Arbitrary<Policy[]> = fc.array(
  fc.record({
    id: fc.constantFrom('p', 'q', 'r'),
    roles: fc.subarray([...roles, '*'], { minLength: 0, maxLength: 2 }),
    rules: fc.array(rule, { maxLength: 4 }),
  }),
  { minLength: 1, maxLength: 4 },
)
const argument = fc.oneof(value, fc.integer({ min: 0, max: 2 }), fc.boolean(), fc.constantFrom(null, [], {}))
const call: fc.Arbitrary<Call> = fc.record({
  roles: fc.subarray(roles),
  server: fc.constantFrom(...servers),
  tool: fc.constantFrom(...tools),
  args: fc.dictionary(fc.constantFrom('a', 'in', 'x-y'), argument, { maxKeys: 3 }),
})

test('an imported bundle decides as the YAML says, whatever the roles and arguments of the caller', () => {
  const seen = { allow: 0, deny: 0, refused: 0 }
  const seed = Number(process.env.FUZZ_SEED ?? 20_261_125)
  const numRuns = Number(process.env.FUZZ_RUNS ?? 400)
  fc.assert(
    fc.property(policies, fc.array(call, { minLength: 5, maxLength: 20 }), (given, calls) => {
      const imported = importPolicies(given)
      if (!imported.ok) {
        seen.refused++
        for (const { message } of imported.problems) expect(message).toContain('stands after the more general deny')
        return
      }
      const evaluator = createEvaluator(policyOf(imported.text))
      for (const one of calls) {
        const text = JSON.stringify({ principal: { id: 'a', roles: one.roles }, call: `${one.server}/${one.tool}`, args: one.args })
        const { outcome } = evaluator.decide(readCall(text, { now: new Date() }) as Facts)
        // A tool with a slash that the YAML does not name is reached by no glob: denied, and never more.
        const named = !one.tool.includes('/') || given.some(policy => policy.rules.some(({ tool }) => tool === one.tool))
        const expected = named ? judge(given, one) : 'deny'
        expect({ outcome, text: outcome === expected ? '' : `${text}\n${imported.text}` }).toEqual({ outcome: expected, text: '' })
        seen[outcome]++
      }
    }),
    { seed, numRuns },
  )
  // Neither answer may be rare, or nothing is proven.
  expect(seen.allow).toBeGreaterThan(numRuns / 2)
  expect(seen.deny).toBeGreaterThan(numRuns / 2)
  expect(seen.refused).toBeLessThan(numRuns / 2)
})
