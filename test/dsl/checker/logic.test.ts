// What is told of rules that mean something else than they seem to: once for each question, with the calls that show it.
import { describe, expect, it } from 'vitest'
import { readCall } from '../../../dsl/calls/read-call.ts'
import { checkPolicies } from '../../../dsl/checker/check.ts'
import { createEvaluator } from '../../../dsl/evaluator/evaluator.ts'
import type { Lock } from '../../../dsl/lock/lock.ts'
import { check, now, server, told } from './fixture.ts'

const inputSchema = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    limit: { type: 'integer', minimum: 1, maximum: 500 },
    currency: { enum: ['EUR', 'USD'] },
    path: { type: 'string' },
    url: { type: 'string' },
    sql: { type: 'string' },
    items: {
      type: 'array',
      maxItems: 100_000,
      items: { type: 'object', properties: { sku: { type: 'string' }, qty: { type: 'integer' } }, required: ['sku'] },
    },
  },
  required: ['id', 'currency', 'path', 'url', 'sql'],
} as const
const digest = 'd'.repeat(64)
const lock: Lock = {
  v: 1,
  servers: {
    pay: server([
      { name: 'refund', digest, inputSchema },
      { name: 'charge', digest, inputSchema },
    ]),
  },
  roles: ['lead', 'support'],
  tenants: [],
  dischargers: ['limit', 'log', 'redact'],
}
const codes = (text: string, given: Lock | null = lock): string[] =>
  told(text, given ? { lock: given } : {}).map(line => line.split(':')[0] as string)
const allow = (condition: string): string => `allow a { who role lead call pay/refund when { ${condition} } }`
const deny = (condition: string): string => `deny d { call pay/refund when { ${condition} } because "x" }`

describe('rules that say nothing', () => {
  it.each([
    'args.id.startsWith("a") && args.id == "b"',
    'args.limit > 10 && args.limit < 5 && has(args.limit)',
    '!has(args.limit) && has(args.limit)',
    'args.id in ["a", "b"] && !(args.id in ["b", "a"])',
    'args.id.contains("abc") && !args.id.contains("b")',
    'principal.claims.x == "a" && principal.claims.x == "b"',
    'principal.roles.size() < 0',
    '"lead" in principal.roles && !("lead" in principal.roles)',
    'request.time.getHours() > 23',
    'request.time < timestamp("2026-01-01T00:00:00Z") && request.time > timestamp("2026-06-01T00:00:00Z")',
    'false',
  ])('`%s` is never true', condition => {
    expect(codes(allow(condition), null)).toContain('never-matches')
  })

  it.each(['args.id != "a" || args.id != "b"', 'has(args.limit) || !has(args.limit)', '!(args.limit > 5) || args.limit > 3', 'true'])(
    '`%s` is never false',
    condition => {
      expect(codes(allow(condition), null)).toContain('always-true')
    },
  )

  it.each([
    'args.id == "a" || args.id == "b"',
    'args.id.startsWith("a") && args.id.endsWith("b")',
    'args.id == args.path',
    'args.items.exists(i, i.qty > 3)',
  ])('nothing is claimed of `%s`', condition => {
    expect(codes(allow(condition), null)).toEqual([])
  })

  it('subjects and targets that are all excepted never match', () => {
    expect(codes('allow a { who role lead except any call pay/refund }')).toContain('never-matches')
    expect(codes('allow a { who role lead call pay/refund except pay/* }')).toContain('never-matches')
    expect(codes('allow a { who agent bob call pay/refund when { principal.id == "ann" } }')).toContain('never-matches')
  })

  it('an ERROR is no match for an allow, and one for a deny', () => {
    expect(codes('deny d { call pay/refund when { args.limit > 5 && args.limit < 3 } because "x" }')).not.toContain('never-matches')
    expect(codes(deny('has(args.limit) && args.limit > 5 && args.limit < 3'))).toContain('never-matches')
  })
})

describe('rules against each other', () => {
  it('an allow that a deny always wins over is overridden, with a call that shows it', () => {
    const text = 'allow a { who role lead call pay/* when { args.id == "a" } }\ndeny d { who any call */* because "x" }\n'
    const found = check(text, { lock }).find(one => one.code === 'overridden')
    expect(found?.labels?.[0]?.text).toBe('this deny wins')
    const { policy } = checkPolicies([{ file: 'p.policy', text: `policy "p" edition 1\n${text}` }], { lock, now })
    const call = readCall(JSON.stringify(found?.witness), { now })
    if (!policy || 'error' in call) throw new Error('no policy, or no call')
    const { decide } = createEvaluator({ ...policy, rules: policy.rules.filter(({ effect }) => effect === 'allow') })
    expect(decide(call).outcome).toBe('allow')
    expect(createEvaluator(policy).decide(call)).toMatchObject({ outcome: 'deny', by: ['d'] })
  })

  it('two denies may override together what neither does alone', () => {
    const text = `allow a { who role lead call pay/* }
deny d1 { call pay/* when { args.id == "a" } because "x" }
deny d2 { call pay/* unless { args.id == "a" } because "x" }`
    expect(codes(text)).toContain('overridden')
    expect(codes(text.replace('unless { args.id == "a" }', 'unless { args.id == "b" }'))).not.toContain('overridden')
  })

  it('a deny that wins over one target or subject of an allow is a conflict', () => {
    expect(codes('allow a { who role lead call pay/refund, pay/charge }\ndeny d { call pay/charge because "x" }')).toEqual(['conflict'])
    expect(
      codes('allow a { who role lead, role support call pay/refund }\ndeny d { who role support call pay/refund because "x" }'),
    ).toEqual(['conflict'])
    expect(codes('allow a { who role lead call pay/* }\ndeny d { call pay/charge because "x" }')).toEqual([])
  })

  it('a shadow deny, and one with other conditions, override nothing', () => {
    expect(codes('allow a { who role lead call pay/* }\nshadow deny d { call */* because "x" }')).toEqual([])
    expect(codes('allow a { who role lead call pay/* }\ndeny d { call pay/* except pay/charge because "x" }')).toEqual([])
  })

  it('a rule within another one of its effect is shadowed, the later of two twins', () => {
    expect(
      codes(
        'allow a { who role lead call pay/refund when { args.id == "a" } }\nallow b { who any call pay/* when { args.id in ["a", "b"] } }',
      ),
    ).toEqual(['shadowed'])
    expect(told('allow a { who role lead call pay/refund }\nallow b { who role lead call pay/refund }', { lock })[0]).toMatch(
      /^shadowed: b: `b` says what `a` says already/,
    )
    expect(codes('allow a { who role lead call pay/refund then log(args) }\nallow b { who role lead call pay/* }')).toEqual([])
    expect(
      codes(
        'deny a { call pay/refund after call pay/charge within 30m because "x" }\ndeny b { call pay/refund after call pay/charge within 1h because "x" }',
      ),
    ).toEqual(['shadowed'])
  })
})

describe('conditions against schemas', () => {
  it.each([
    ['args.currency == "eur"', 'did you mean `EUR`'],
    ['args.currency in ["EUR", "GBP"]', undefined],
    ['args.currency.startsWith("G")', undefined],
    ['has(args.limit) && args.limit > 500', undefined],
    ['has(args.limit) && args.limit == 0', undefined],
    ['has(args.limit) && args.limit == 1.5', undefined],
  ])('`%s` is ruled out', (condition, help) => {
    const found = check(allow(condition), { lock }).filter(one => one.code === 'impossible-value')
    expect(found.map(one => one.help)).toEqual([help])
  })

  it('an optional argument that is read without has() is an error in a guard and a warning in an allow', () => {
    expect(codes(deny('args.limit > 5'))).toEqual(['unguarded-guard'])
    expect(codes(allow('args.limit > 5'))).toEqual(['unguarded-allow'])
    expect(codes(deny('has(args.items) && args.items.exists(i, i.qty > 5)'))).toContain('unguarded-guard')
  })

  it.each([
    'has(args.limit) && args.limit > 5',
    'args.limit > 5 && has(args.limit)',
    '!has(args.limit) || args.limit > 5',
    'has(args.limit) ? args.limit > 5 : true',
    '"limit" in args && args.limit > 5',
    'args.id == "a" && (has(args.limit) && args.limit > 5)',
  ])('`%s` asks first', condition => {
    expect(codes(deny(condition))).toEqual([])
  })

  it('an unguarded guard is shown by a call that it errs for', () => {
    const found = check(deny('args.limit > 5'), { lock })[0]
    expect(found?.witness).toMatchObject({ call: 'pay/refund', args: { id: expect.any(String) } })
    expect(found?.witness?.args).not.toHaveProperty('limit')
  })

  it('an argument that no tool has, a text for a number, and a text alone are errors', () => {
    expect(codes(allow('has(args.limt)'))).toEqual(['unknown-argument'])
    expect(codes(allow('has(args.limit) && args.limit == "5"'))).toContain('cel-type')
    expect(codes(allow('args.id'))).toContain('cel-not-boolean')
  })

  it('a list that may be long makes nested walks too costly', () => {
    expect(codes(deny('has(args.items) && args.items.exists(i, args.items.exists(j, i.sku == j.sku))'))).toContain('cel-budget')
  })
})

describe('tests that can be dodged', () => {
  it.each([
    ['args.sql.startsWith("SELECT")', 'dodgeable-test'],
    ['args.path.startsWith("/data/")', 'dodgeable-test'],
    ['args.url.startsWith("https://api.acme.com")', 'dodgeable-test'],
    ['request.ip.startsWith("10.")', 'dodgeable-test'],
    ['principal.name == "Bob"', 'dodgeable-test'],
    ['args.id.matches("^a")', 'regex-unanchored'],
    ['args.id.matches("^a$|b")', 'regex-unanchored'],
    ['args.url.matches("^https://api.acme.com/.*$")', 'regex-dot'],
    ['args.id.matches(".*")', 'matches-everything'],
  ])('`%s`', (condition, code) => {
    expect(codes(allow(condition))).toContain(code)
  })

  it.each([
    'sql.is_select(args.sql)',
    'path.within(args.path, "/data") && args.path.endsWith(".txt")',
    'args.url.startsWith("https://api.acme.com/")',
    'args.id.matches("^a[0-9]+$")',
    'args.id.matches("(?i)^(?:a|b)$")',
  ])('nothing is told of `%s`', condition => {
    expect(codes(allow(condition))).toEqual([])
  })
})
