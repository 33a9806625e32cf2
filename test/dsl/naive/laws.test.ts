// The laws of decisions: what may be changed in a bundle without widening what it allows.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PolicyDecision } from '../../../dsl/decision.ts'
import { createEvaluator, type Evaluator } from '../../../dsl/evaluator/evaluator.ts'
import type { Facts } from '../../../dsl/facts.ts'
import { policyOf, type WrittenFile, type WrittenRule } from '../written.ts'
import { drawCall, drawFile, drawFrom } from './generate.ts'

const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31))
const runs = Number(process.env.FUZZ_RUNS ?? 60)

/** Asks both bundles the same calls. */
function compare(
  change: (file: WrittenFile, at: number) => WrittenFile | undefined,
  check: (before: PolicyDecision, after: PolicyDecision) => void,
) {
  fc.assert(
    fc.property(fc.integer(), fc.nat(100), (of, at) => {
      const draw = drawFrom(of)
      const file = drawFile(draw)
      const changed = change(file, at)
      if (changed === undefined) return
      const [before, after] = [createEvaluator(policyOf(file)), createEvaluator(policyOf(changed))]
      for (let call = 0; call < 20; call++) {
        const { facts } = drawCall(draw)
        check(before.decide(facts), after.decide(facts))
      }
    }),
    { seed, numRuns: runs },
  )
}

/** Asks a bundle about many calls. */
function askCalls(ask: (evaluator: Evaluator, facts: Facts) => void) {
  fc.assert(
    fc.property(fc.integer(), of => {
      const draw = drawFrom(of)
      const evaluator = createEvaluator(policyOf(drawFile(draw)))
      for (let call = 0; call < 20; call++) ask(evaluator, drawCall(draw).facts)
    }),
    { seed, numRuns: runs },
  )
}

/** Asks one bundle the same calls, of which something else is known. */
function compareCalls(change: (facts: Facts) => Facts, check: (before: PolicyDecision, after: PolicyDecision) => void) {
  askCalls((evaluator, facts) => check(evaluator.decide(facts), evaluator.decide(change(facts))))
}

const without =
  (...effects: readonly string[]) =>
  (file: WrittenFile, at: number): WrittenFile | undefined => {
    const of = file.rules.filter(({ effect }) => effects.includes(effect))
    const gone = of[at % of.length]
    return gone && { ...file, rules: file.rules.filter(rule => rule !== gone) }
  }

const sorted = ({ by, ...decision }: PolicyDecision) => ({
  ...decision,
  because: undefined,
  by: by === 'default' ? by : by.toSorted(),
  errors: decision.errors.map(({ rule, code }) => `${rule} ${code}`).toSorted(),
  shadow: decision.shadow.map(({ rule }) => rule).toSorted(),
})

const pathsIn = ({ obligations }: PolicyDecision) =>
  obligations.filter(({ name }) => name === 'redact').flatMap(({ args }) => args.map(({ value }) => value))

test('the order of rules is irrelevant', () => {
  compare(
    (file, at) => ({
      ...file,
      rules: [...file.rules.slice(at % file.rules.length), ...file.rules.slice(0, at % file.rules.length)].toReversed(),
    }),
    (before, after) => expect(sorted(after)).toEqual(sorted(before)),
  )
})

test('removing a deny or require never turns allow into deny', () => {
  compare(without('deny', 'require'), (before, after) => {
    if (before.outcome === 'allow') expect(after.outcome).toBe('allow')
  })
})

test('removing an allow never turns deny into allow', () => {
  compare(without('allow'), (before, after) => {
    if (before.outcome === 'deny') expect(after.outcome).toBe('deny')
  })
})

describe('breaking one condition never turns deny into allow', () => {
  // An error of its own, and a value that is neither true nor false.
  const broken = ['principal.claims.is_not_there == 1', 'principal.claims.level']
  type Where = (rule: WrittenRule) => boolean
  const breakClause =
    (clause: 'when' | 'unless', where: Where, how: (cel: string, at: number) => string | undefined) =>
    (file: WrittenFile, at: number): WrittenFile | undefined => {
      const made = file.rules.flatMap(rule => {
        const text = rule[clause] === undefined || !where(rule) ? undefined : how(rule[clause], at)
        return text === undefined ? [] : [{ ...file, rules: file.rules.map(one => (one === rule ? { ...rule, [clause]: text } : one)) }]
      })
      return made[at % made.length]
    }
  const whole = (_: string, at: number): string => broken[at % 2]!
  /** One side of `(a) && !(b)`: what the other says still counts. */
  const half = (cel: string, at: number): string | undefined => {
    const [, left, operator, right] = /^(\(.+\)) (&&|\|\|) (!?\(.+\))$/.exec(cel) ?? []
    if (left === undefined) return undefined
    return at % 4 < 2 ? `(${whole(cel, at)}) ${operator} ${right}` : `${left} ${operator} (${whole(cel, at)})`
  }
  const is =
    (effect: WrittenRule['effect']): Where =>
    rule =>
      rule.effect === effect
  const breaks: Readonly<Record<string, (file: WrittenFile, at: number) => WrittenFile | undefined>> = {
    'when of an allow': breakClause('when', is('allow'), whole),
    'unless of an allow': breakClause('unless', is('allow'), whole),
    'when of a deny': breakClause('when', is('deny'), whole),
    'unless of a deny': breakClause('unless', is('deny'), whole),
    'a side of when': breakClause('when', () => true, half),
    'a side of unless': breakClause('unless', () => true, half),
    'a let': (file, at) => ({ ...file, lets: { own: whole('', at) } }),
  }

  test.each(Object.entries(breaks))('%s', (_, change) => {
    const seen = { denied: 0, changed: 0 }
    compare(change, (before, after) => {
      if (before.outcome === 'deny') expect(after.outcome).toBe('deny')
      seen.denied += before.outcome === 'deny' ? 1 : 0
      seen.changed += JSON.stringify(sorted(before)) === JSON.stringify(sorted(after)) ? 0 : 1
    })
    expect(seen.denied).toBeGreaterThan(0)
    expect(seen.changed).toBeGreaterThan(0)
  })

  test('what was done before, where nobody can tell', () => {
    compareCalls(
      facts => ({ ...facts, history: undefined }),
      (before, after) => {
        if (before.outcome === 'deny') expect(after.outcome).toBe('deny')
      },
    )
  })
})

test.each(['when', 'unless'] as const)('breaking %s of a require takes no obligation away', clause => {
  let kept = 0
  compare(
    (file, at) => {
      const of = file.rules.filter(rule => rule.effect === 'require' && rule[clause] !== undefined)
      const one = of[at % of.length]
      return (
        one && {
          ...file,
          rules: file.rules.map(rule => (rule === one ? { ...rule, [clause]: 'principal.claims.is_not_there == 1' } : rule)),
        }
      )
    },
    (before, after) => {
      expect(after.outcome).toBe(before.outcome)
      for (const path of pathsIn(before)) expect(pathsIn(after)).toContain(path)
      kept += pathsIn(before).length
    },
  )
  expect(kept).toBeGreaterThan(0)
})

test('shadow rules are neutral', () => {
  compare(
    file => ({ ...file, rules: file.rules.filter(({ shadow }) => shadow !== true) }),
    (before, after) => {
      const live = ({ outcome, by, obligations }: PolicyDecision) => ({ outcome, by, obligations })
      expect(live(after)).toEqual(live(before))
      expect(after.shadow).toEqual([])
    },
  )
})

test('the obligations of an allow never shrink where a rule is added', () => {
  compare(without('allow', 'require'), (more, less) => {
    if (less.outcome !== 'allow' || more.outcome !== 'allow') return
    for (const path of pathsIn(less)) expect(pathsIn(more)).toContain(path)
  })
})

test('what may be called is visible', () => {
  askCalls((evaluator, facts) => {
    const { action, server, name, principal } = facts
    if (action !== 'method' && evaluator.decide(facts).outcome === 'allow')
      expect(evaluator.narrow(principal, { action, server, name })).toBe('show')
  })
})

test('arguments called as members of every object are, that no rule reads, change nothing', () => {
  const names = ['__proto__', 'hasOwnProperty', 'toString', 'prototype']
  const within = (facts: Facts, names: readonly string[]): Facts =>
    facts.args instanceof Map
      ? { ...facts, args: new Map([...facts.args, ...names.map(name => [name, new Map([['customer', 'c-1']])] as const)]) }
      : facts
  compareCalls(
    facts => within(facts, names),
    (before, after) => expect(after).toEqual(before),
  )
})
