// A rule as formulas: when it surely applies, and when it surely does not.
import type { ResolvedRule, SubjectPattern } from '../bundle/bundle.ts'
import type { CelNode } from '../cel/node.ts'
import { always, and, type Formula, is, not, or, type Term } from './formula.ts'
import { above, below } from './intervals.ts'
import { fieldTerm, roleTerm } from './terms.ts'
import { type Truths, truthsOf } from './truth.ts'
import { absent, constants, flagged, isNull, isTrue, numbersIn, unionAtLeast } from './values.ts'

export interface RuleFormulas {
  /** Who it is about. */
  readonly who: Formula
  /** The Kleene AND of its conditions. */
  readonly condition: Truths
  /** Who and condition, as they count: ERROR matches for deny and require, never for allow. */
  readonly applies: Formula
}

const known = new WeakMap<ResolvedRule, RuleFormulas>()

export function formulasOf(rule: ResolvedRule): RuleFormulas {
  let formulas = known.get(rule)
  if (!formulas) {
    const who = and([anyOf(rule.who), not(anyOf(rule.notWho))])
    const condition = conditionOf(rule)
    const counted = rule.effect === 'allow' ? condition.yes : not(condition.no)
    formulas = { who, condition, applies: and([who, counted]) }
    known.set(rule, formulas)
  }
  return formulas
}

function anyOf(patterns: readonly SubjectPattern[]): Formula {
  return or(
    patterns.map(({ roles, agents, tenants }) =>
      and([
        ...roles.map(role => is(roleTerm(role), flagged(isTrue))),
        ...agents.map(agent => is(fieldTerm(['principal', 'id']), constants([agent]))),
        ...tenants.map(tenant => is(fieldTerm(['principal', 'tenant']), constants([tenant]))),
      ]),
    ),
  )
}

/** `when` and `unless` alone: what arguments and claims decide. */
export function withoutPast(rule: ResolvedRule): Truths {
  return conditionOf({ when: rule.when, unless: rule.unless, after: undefined })
}

function conditionOf({ when, unless, after }: { [clause in 'when' | 'unless' | 'after']?: ResolvedRule[clause] | undefined }): Truths {
  const parts: Truths[] = []
  if (when) parts.push(truthsOf(when.ast))
  if (unless) {
    const { yes, no } = truthsOf(unless.ast)
    parts.push({ yes: no, no: yes })
  }
  if (after) parts.push(pastOf(after))
  return { yes: and(parts.map(part => part.yes)), no: parts.length === 0 ? not(always) : or(parts.map(part => part.no)) }
}

/** How long ago an event was: a number, never, or unknown (null). */
function pastOf({ events, withinMs }: NonNullable<ResolvedRule['after']>): Truths {
  const terms = events.map((event): Term => ({ key: `after ${event.text}`, range: ages, whole: false }))
  const recent = numbersIn(below(withinMs, false))
  const older = unionAtLeast(numbersIn(above(withinMs, true)), flagged(absent))
  return { yes: or(terms.map(term => is(term, recent))), no: and(terms.map(term => is(term, older))) }
}
const ages = unionAtLeast(numbersIn(above(0, false)), flagged(absent | isNull))

export function conditionsOf({ when, unless }: ResolvedRule): readonly CelNode[] {
  return [when, unless].filter(condition => condition !== undefined).map(condition => condition.ast)
}
