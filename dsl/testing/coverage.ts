// Which rules the tests of a bundle matched, and which of their conditions they have seen true and false.
import type { CheckedPolicy, ResolvedRule } from '../bundle/bundle.ts'
import type { Truth } from '../cel/condition.ts'
import { evaluate, happened, holds } from '../evaluator/clauses.ts'
import { compileRule, isAbout, isFor, isOver } from '../evaluator/compiled-rule.ts'
import type { Facts } from '../facts.ts'
import type { Span } from '../span.ts'
import type { Value } from '../value.ts'

export interface Coverage {
  readonly rules: Tally
  /** Each condition counts twice: once for true, once for false. */
  readonly conditions: Tally
}
export interface Tally {
  readonly covered: number
  readonly total: number
  /** Rounded down; 100 where there is nothing to cover. */
  readonly percent: number
  readonly missing: readonly Missing[]
}
export interface Missing {
  readonly rule: string
  readonly what: string
  readonly span: Span
}

type ConditionKind = 'when' | 'unless' | 'after'
const KINDS: readonly ConditionKind[] = ['when', 'unless', 'after']

export function createCoverage(policy: CheckedPolicy): { see(facts: Facts): void; tally(): Coverage } {
  const rules = policy.rules.map(compileRule)
  const matched = new Set<string>()
  const seen = new Set<string>()
  return {
    see(facts) {
      for (const compiled of rules) {
        const { rule } = compiled
        if (!isAbout(compiled, facts.action, facts.server, facts.name) || !isFor(compiled, facts.principal)) continue
        if (isOver(compiled, facts.request.time.getTime())) continue
        const bindings = new Map<string, Value>()
        for (const kind of KINDS) {
          const truth = truthOf(rule, kind, facts, bindings)
          if (typeof truth === 'boolean') seen.add(key(rule, kind, truth))
        }
        const outcome = holds(rule, facts, bindings)
        if (outcome === true || (outcome !== false && rule.effect !== 'allow')) matched.add(rule.name)
      }
    },
    tally() {
      const unmatched = policy.rules.filter(({ name }) => !matched.has(name))
      const outcomes = policy.rules.flatMap(rule =>
        KINDS.filter(kind => rule[kind] !== undefined).flatMap(kind => [true, false].map(truth => ({ rule, kind, truth }))),
      )
      const unseen = outcomes.filter(({ rule, kind, truth }) => !seen.has(key(rule, kind, truth)))
      return {
        rules: tallyOf(
          policy.rules.length,
          unmatched.map(rule => ({ rule: rule.name, what: 'matched', span: rule.nameSpan })),
        ),
        conditions: tallyOf(
          outcomes.length,
          unseen.map(({ rule, kind, truth }) => ({ rule: rule.name, what: `${kind} ${truth}`, span: rule[kind]!.span })),
        ),
      }
    },
  }
}

function truthOf(rule: ResolvedRule, kind: ConditionKind, facts: Facts, bindings: Map<string, Value>): Truth | undefined {
  if (kind === 'after') return rule.after === undefined ? undefined : happened(rule.after, facts)
  const condition = rule[kind]
  return condition === undefined ? undefined : evaluate(condition, facts, bindings)
}

function key({ name }: ResolvedRule, kind: ConditionKind, truth: boolean): string {
  return JSON.stringify([name, kind, truth])
}

function tallyOf(total: number, missing: readonly Missing[]): Tally {
  const covered = total - missing.length
  return { covered, total, percent: total === 0 ? 100 : Math.floor((covered * 100) / total), missing }
}
