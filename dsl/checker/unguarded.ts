// Which optional arguments does a condition read without asking whether they are there?
import { and, is, not } from '../analysis/formula.ts'
import type { Place } from '../analysis/places.ts'
import { sureIfFalse, sureIfTrue, type UnguardedRead, unguardedReads } from '../analysis/reads.ts'
import { conditionsOf, formulasOf, withoutPast } from '../analysis/rules.ts'
import { backgroundOf, fieldOf } from '../analysis/schema.ts'
import { placesBySchema } from '../analysis/schemas.ts'
import { solve } from '../analysis/solve.ts'
import { fieldTerm } from '../analysis/terms.ts'
import { absent, flagged, isMap } from '../analysis/values.ts'
import { tryOut, witnessOf } from '../analysis/witness.ts'
import type { ResolvedRule } from '../bundle/bundle.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Check } from './context.ts'
import { finding } from './tell.ts'

export const checkUnguarded: Check = function* ({ rules }, { lock }) {
  for (const rule of rules) {
    const places = placesBySchema(rule, lock, conditionsOf(rule))
    if (!places) continue
    const seen = new Set<string>()
    const sure = new Set(rule.when ? sureIfTrue(rule.when.ast) : [])
    const before = new Set(rule.unless ? sureIfFalse(rule.unless.ast) : [])
    for (const place of places) {
      for (const [condition, known] of [
        [rule.when, before],
        [rule.unless, sure],
      ] as const) {
        if (!condition) continue
        for (const read of unguardedReads(condition.ast, place.schema, known)) {
          const span = condition.spanOf(read.node)
          const key = `${span.start} ${read.path.join('.')}`
          if (seen.has(key) || !isDeclared(rule, read, place, places)) continue
          const found = findingFor(rule, read, place)
          if (!found) continue
          seen.add(key)
          yield { ...found, span }
        }
      }
    }
  }
}

/** An argument that no tool has is told as that. An allow that reads what a tool does not have leaves that tool out, as it should. */
function isDeclared(rule: ResolvedRule, read: UnguardedRead, place: Place, places: readonly Place[]): boolean {
  if (read.ofItem) return true
  const declares = ({ schema }: Place): boolean => fieldOf(schema, read.path.slice(1)).kind === 'declared'
  return rule.effect === 'allow' ? declares(place) : places.some(declares)
}

function findingFor(rule: ResolvedRule, read: UnguardedRead, place: Place): Diagnostic | undefined {
  const path = read.path.join('.')
  const last = read.path.at(-1) as string
  const plain = read.path.every(name => /^[A-Za-z_]\w*$/.test(name))
  const asked = plain ? `has(${path})` : `${JSON.stringify(last)} in ${read.path.slice(0, -1).join('.')}`
  const allow = rule.effect === 'allow'
  let witness: Diagnostic['witness']
  if (!read.ofItem) {
    const solution = solve(withoutIt(rule, read), backgroundOf(place.schema))
    if (solution === 'impossible') return undefined
    if (solution !== 'undecided') {
      const call = witnessOf(solution, place)
      if (call && tryOut(rule, call) === 'error') witness = call
    }
  }
  const effect = allow
    ? 'never allows a call without it'
    : rule.effect === 'deny'
      ? 'denies every call without it'
      : 'is met by every call without it'
  const isKnown = read.ofItem || fieldOf(place.schema, read.path.slice(1)).kind === 'declared'
  const tool = `\`${place.server}/${place.name}\``
  return finding(
    allow ? 'unguarded-allow' : 'unguarded-guard',
    rule.nameSpan,
    `\`${path}\` ${isKnown ? 'is optional in' : 'is no argument of'} ${tool}, and read here without \`has()\`: \`${rule.name}\` ${effect}`,
    {
      help: allow
        ? `write \`${asked} && ...\``
        : `write \`${asked} && ...\`, or \`!${plain ? asked : `(${asked})`} || ...\` if calls without it are meant too`,
      ...(witness ? { witness } : {}),
    },
  )
}

/** The rule errs while the argument is not there, and what it is a field of is. */
function withoutIt(rule: ResolvedRule, read: UnguardedRead): ReturnType<typeof and> {
  const { yes, no } = withoutPast(rule)
  const term = fieldTerm(read.path)
  const parent = term.parent ? [is(term.parent, flagged(isMap))] : []
  return and([formulasOf(rule).who, not(yes), not(no), is(term, flagged(absent)), ...parent])
}
