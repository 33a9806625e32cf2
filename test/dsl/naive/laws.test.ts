// The laws of decisions: what may be changed in a bundle without widening what it allows.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PolicyDecision } from '../../../dsl/decision.ts'
import { createEvaluator } from '../../../dsl/evaluator/evaluator.ts'
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

test('breaking one condition never turns deny into allow', () => {
  const broken = 'principal.claims.is_not_there == 1'
  const breakOne = (rule: WrittenRule, at: number): WrittenRule =>
    at % 3 === 0
      ? { ...rule, when: broken }
      : at % 3 === 1
        ? { ...rule, unless: broken }
        : { ...rule, when: `(${rule.when ?? 'true'}) && ${broken}` }
  compare(
    (file, at) => {
      const conditional = file.rules.filter(({ when, unless }) => when !== undefined || unless !== undefined)
      const one = conditional[at % conditional.length]
      // What was one whole condition stays one: only its values are gone.
      const isWhole = one?.unless === undefined && one?.after === undefined
      return one && isWhole
        ? { ...file, rules: file.rules.map(rule => (rule === one ? breakOne({ ...rule, when: rule.when ?? 'true' }, 0) : rule)) }
        : undefined
    },
    (before, after) => {
      if (before.outcome === 'deny') expect(after.outcome).toBe('deny')
    },
  )
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
    const paths = ({ obligations }: PolicyDecision) =>
      obligations.filter(({ name }) => name === 'redact').flatMap(({ args }) => args.map(({ value }) => value))
    for (const path of paths(less)) expect(paths(more)).toContain(path)
  })
})

test('what may be called is visible', () => {
  fc.assert(
    fc.property(fc.integer(), of => {
      const draw = drawFrom(of)
      const evaluator = createEvaluator(policyOf(drawFile(draw)))
      for (let call = 0; call < 20; call++) {
        const { facts } = drawCall(draw)
        const { action, server, name, principal } = facts
        if (action !== 'method' && evaluator.decide(facts).outcome === 'allow')
          expect(evaluator.narrow(principal, { action, server, name })).toBe('show')
      }
    }),
    { seed, numRuns: runs },
  )
})

test('arguments called as members of every object are, that no rule reads, change nothing', () => {
  const names = ['__proto__', 'hasOwnProperty', 'toString', 'prototype']
  const within = (facts: Facts, names: readonly string[]): Facts =>
    facts.args instanceof Map
      ? { ...facts, args: new Map([...facts.args, ...names.map(name => [name, new Map([['customer', 'c-1']])] as const)]) }
      : facts
  fc.assert(
    fc.property(fc.integer(), of => {
      const draw = drawFrom(of)
      const evaluator = createEvaluator(policyOf(drawFile(draw)))
      for (let call = 0; call < 20; call++) {
        const { facts } = drawCall(draw)
        expect(evaluator.decide(within(facts, names))).toEqual(evaluator.decide(facts))
      }
    }),
    { seed, numRuns: runs },
  )
})
