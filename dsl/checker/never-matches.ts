// Which rules can never match, whoever calls whatever?

import { placesOf } from '../analysis/places.ts'
import { conditionsOf, formulasOf } from '../analysis/rules.ts'
import { backgroundOf } from '../analysis/schema.ts'
import { placesBySchema } from '../analysis/schemas.ts'
import { isImpossible } from '../analysis/solve.ts'
import { hasNoTargets } from '../analysis/targets.ts'
import type { ResolvedRule } from '../bundle/bundle.ts'
import { nameOfLock } from '../lock/live.ts'
import type { Lock } from '../lock/lock.ts'
import type { Check } from './context.ts'
import { impossibleComparisons } from './impossible-value.ts'
import { finding } from './tell.ts'

export const checkNeverMatches: Check = function* ({ rules }, { lock }) {
  for (const rule of rules) {
    const why = reasonOf(rule, lock)
    if (why)
      yield finding('never-matches', rule.nameSpan, `\`${rule.name}\` can never match: ${why}`, { help: 'mend the rule or take it out' })
  }
}

function reasonOf(rule: ResolvedRule, lock: Lock | undefined): string | undefined {
  const { who, applies } = formulasOf(rule)
  if (isImpossible(who)) return 'everyone that it names is excepted'
  if (hasNoTargets(rule)) return 'everything that it names is excepted'
  if (rule.notTargets.length > 0 && placesOf(rule, lock)?.length === 0)
    return `nothing that ${lock ? nameOfLock(lock) : 'the lock'} has is left of its targets`
  if (!rule.when && !rule.unless && !rule.after) return undefined
  if (isImpossible(applies)) return rule.effect === 'allow' ? 'its condition is never true' : 'its condition is always false'
  const places = placesBySchema(rule, lock, conditionsOf(rule))
  if (!places || places.length === 0 || !places.every(place => isImpossible(applies, backgroundOf(place.schema)))) return undefined
  // The comparison itself is told already.
  return impossibleComparisons(rule, lock).length > 0 ? undefined : 'the schemas of its tools rule its condition out'
}
