// Which rules does another one make needless: same effect, at least the same subjects, targets and calls, and no duty lost?
import { and, not } from '../analysis/formula.ts'
import { placeIndexOf, rulesNear } from '../analysis/place-index.ts'
import { placesOf } from '../analysis/places.ts'
import { conditionsOf, formulasOf } from '../analysis/rules.ts'
import { backgroundOf } from '../analysis/schema.ts'
import { placesBySchema } from '../analysis/schemas.ts'
import { isImpossible } from '../analysis/solve.ts'
import { mayCoverSubjects } from '../analysis/subjects.ts'
import { coversTargets } from '../analysis/targets.ts'
import type { Bundle, ResolvedRule } from '../bundle/bundle.ts'
import type { Lock } from '../lock/lock.ts'
import type { Check } from './context.ts'
import { finding } from './tell.ts'

export const checkShadowed: Check = function* (bundle, { lock }) {
  const order = new Map(bundle.rules.map((rule, i) => [rule, i]))
  for (const rule of bundle.rules) {
    if (isImpossible(formulasOf(rule).applies)) continue
    const wider = rivalsOf(rule, bundle, lock).find(
      other => other !== rule && isWider(other, rule, lock) && !isLaterTwin(other, rule, order, lock),
    )
    if (!wider) continue
    const twin = isWider(rule, wider, lock)
    const message = twin
      ? `\`${rule.name}\` says what \`${wider.name}\` says already`
      : `\`${rule.name}\` is needless: \`${wider.name}\` matches whenever it does`
    yield finding('shadowed', rule.nameSpan, message, {
      labels: [{ span: wider.nameSpan, text: twin ? 'the same' : 'wider, with the same effect' }],
      help: 'take it out, or narrow the wider rule',
    })
  }
}

function rivalsOf(rule: ResolvedRule, bundle: Bundle, lock: Lock | undefined): readonly ResolvedRule[] {
  const place = lock && placesOf(rule, lock)?.[0]
  const [target] = rule.targets
  if (place) return placeIndexOf(bundle, lock).get(place) ?? []
  return target ? rulesNear(bundle, target) : []
}

function isWider(wide: ResolvedRule, narrow: ResolvedRule, lock: Lock | undefined): boolean {
  if (wide.effect !== narrow.effect || wide.shadow !== narrow.shadow) return false
  if (wide.expiresAt !== undefined && (narrow.expiresAt === undefined || narrow.expiresAt > wide.expiresAt)) return false
  if (!mayCoverSubjects(wide, narrow)) return false
  if (!hasDutiesOf(narrow, wide) || !coversTargets(wide, narrow, lock)) return false
  const left = and([formulasOf(narrow).applies, not(formulasOf(wide).applies)])
  if (isImpossible(left)) return true
  const places = placesBySchema(narrow, lock, [...conditionsOf(narrow), ...conditionsOf(wide)])
  return places !== undefined && places.length > 0 && places.every(place => isImpossible(left, backgroundOf(place.schema)))
}

/** Of two that mean the same, the later one is needless. */
function isLaterTwin(other: ResolvedRule, rule: ResolvedRule, order: ReadonlyMap<ResolvedRule, number>, lock: Lock | undefined): boolean {
  return (order.get(other) ?? 0) > (order.get(rule) ?? 0) && isWider(rule, other, lock)
}

function hasDutiesOf(rule: ResolvedRule, other: ResolvedRule): boolean {
  const texts = new Set(other.obligations.map(duty => JSON.stringify(duty)))
  // A limit counts for each rule that has it.
  return rule.obligations.every(duty => duty.name !== 'limit' && texts.has(JSON.stringify(duty)))
}
