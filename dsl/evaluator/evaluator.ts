// Decides one call by a checked bundle: any deny denies, else any allow allows, else it is denied.

import type { Effect } from '../ast.ts'
import type { CheckedPolicy } from '../bundle/bundle.ts'
import type { Duty, PolicyDecision, RuleError } from '../decision.ts'
import type { Facts, Subject } from '../facts.ts'
import type { Value } from '../value.ts'
import { holds, isConditional } from './clauses.ts'
import { type CompiledRule, compileRule, isFor, isOver } from './compiled-rule.ts'
import { mergeDuties } from './duties.ts'
import { type Explanation, explainRules } from './explain.ts'
import { type ListedItem, narrowTemplate, narrowTo } from './narrow.ts'
import { indexRules, visitRules } from './rule-index.ts'
import { comparable } from './target.ts'

export interface Evaluator {
  /** Never throws. */
  decide(facts: Facts): PolicyDecision
  /** Whether a list shows an entry. `at`: now; where absent, allows that ended are not known to have. */
  narrow(subject: Subject, item: ListedItem, at?: Date): 'show' | 'hide'
  /** Every rule about the target of a call, and which part of it held. */
  explain(facts: Facts): readonly Explanation[]
}

const NOTHING: readonly never[] = []

export function createEvaluator(policy: CheckedPolicy): Evaluator {
  const rules = policy.rules.map(compileRule)
  const index = indexRules(rules)
  const readRules = rules.filter(({ targets }) => targets.some(({ action }) => action === 'read'))
  let decision = 0
  return {
    decide(given) {
      const facts = plainFacts(given)
      const bindings = new Map<string, Value>()
      const matched: CompiledRule[] = []
      let errors: (readonly [CompiledRule, RuleError])[] | undefined
      const time = facts.request.time.getTime()
      visitRules(index.audienceOf(facts.action, facts.server, facts.name), facts.principal, ++decision, rule => {
        if (!isFor(rule, facts.principal) || isOver(rule, time)) return
        const outcome = isConditional(rule.rule) ? holds(rule.rule, facts, bindings) : true
        if (outcome === false) return
        if (outcome !== true) {
          errors ??= []
          errors.push([rule, outcome])
          // An unknown never widens access.
          if (rule.rule.effect === 'allow') return
        }
        matched.push(rule)
      })
      matched.sort(byPlace)
      return conclude(matched, errors === undefined ? NOTHING : errors.sort(([a], [b]) => byPlace(a, b)).map(([, error]) => error))
    },
    narrow: (subject, item, at) =>
      item.template === true
        ? narrowTemplate(readRules, subject, item, at?.getTime())
        : narrowTo(index, subject, item, at?.getTime(), ++decision),
    explain: facts => explainRules(policy, rules, plainFacts(facts)),
  }
}

/** Idempotent, so that no caller can forget it. */
function plainFacts(facts: Facts): Facts {
  return facts.action === 'read' ? { ...facts, name: comparable(facts.action, facts.name) } : facts
}

function byPlace(a: CompiledRule, b: CompiledRule): number {
  return a.place - b.place
}

function conclude(matched: readonly CompiledRule[], errors: readonly RuleError[]): PolicyDecision {
  const denies: string[] = []
  const allows: string[] = []
  let because: string | undefined
  let duties: (readonly Duty[])[] | undefined
  let shadow: { rule: string; effect: Effect }[] | undefined
  for (const { rule, duties: own } of matched) {
    if (rule.shadow) {
      shadow ??= []
      shadow.push({ rule: rule.name, effect: rule.effect })
    } else if (rule.effect === 'deny') {
      denies.push(rule.name)
      because ??= rule.because
    } else {
      if (rule.effect === 'allow') allows.push(rule.name)
      if (own.length > 0) {
        duties ??= []
        duties.push(own)
      }
    }
  }
  const isAllowed = denies.length === 0 && allows.length > 0
  const deciding = isAllowed ? allows : denies
  return {
    outcome: isAllowed ? 'allow' : 'deny',
    by: deciding.length > 0 ? deciding : 'default',
    obligations: isAllowed && duties !== undefined ? mergeDuties(duties) : NOTHING,
    errors,
    shadow: shadow ?? NOTHING,
    ...(because !== undefined && { because }),
  }
}
