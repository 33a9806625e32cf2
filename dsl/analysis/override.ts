// Whether denies always win over an allow, or over a part of it.
import type { Bundle, ResolvedRule } from '../bundle/bundle.ts'
import type { Lock } from '../lock/lock.ts'
import { and, type Formula, not } from './formula.ts'
import { placeIndexOf, rulesNear } from './place-index.ts'
import { type Place, placesOf } from './places.ts'
import { formulasOf } from './rules.ts'
import { backgroundOf } from './schema.ts'
import { isImpossible } from './solve.ts'
import { coversPattern } from './targets.ts'

/** The denies that win over everything that `part` (the allow, or the allow with fewer targets or subjects) would allow; undefined where not proven. */
export function overridersOf(part: ResolvedRule, bundle: Bundle, lock: Lock | undefined): readonly ResolvedRule[] | undefined {
  const { applies } = formulasOf(part)
  // What never matches is told as that.
  if (isImpossible(applies)) return undefined
  const places = placesOf(part, lock)
  return lock && places && places.length > 0 ? byPlaces(applies, places, bundle, lock) : byPatterns(part, applies, bundle)
}

function isDeny(rule: ResolvedRule): boolean {
  return rule.effect === 'deny' && !rule.shadow
}

function byPlaces(applies: Formula, places: readonly Place[], bundle: Bundle, lock: Lock): readonly ResolvedRule[] | undefined {
  const index = placeIndexOf(bundle, lock)
  const used = new Set<ResolvedRule>()
  const proven = new Map<ResolvedRule | undefined, Set<Place['schema']>>()
  for (const place of places) {
    const denies = (index.get(place) ?? []).filter(isDeny)
    if (denies.length === 0) return undefined
    const background = backgroundOf(place.schema)
    if (isImpossible(applies, background)) continue
    // Mostly the deny that won at the place before.
    const first = [...used].filter(deny => denies.includes(deny))
    const known = first.find(deny => proven.get(deny)?.has(place.schema))
    if (known) continue
    const single = [...first, ...denies].find(deny => isImpossible(and([applies, not(formulasOf(deny).applies)]), background))
    if (single) {
      used.add(single)
      proven.set(single, (proven.get(single) ?? new Set()).add(place.schema))
      continue
    }
    if (denies.length < 2 || !isImpossible(and([applies, ...denies.map(deny => not(formulasOf(deny).applies))]), background))
      return undefined
    for (const deny of denies) used.add(deny)
  }
  return used.size > 0 ? [...used] : undefined
}

function byPatterns(part: ResolvedRule, applies: Formula, bundle: Bundle): readonly ResolvedRule[] | undefined {
  const used = new Set<ResolvedRule>()
  for (const target of part.targets) {
    const denies = rulesNear(bundle, target).filter(rule => isDeny(rule) && coversPattern(rule, target, part.notTargets))
    if (denies.length === 0) return undefined
    const single = denies.find(deny => isImpossible(and([applies, not(formulasOf(deny).applies)])))
    if (!single && !isImpossible(and([applies, ...denies.map(deny => not(formulasOf(deny).applies))]))) return undefined
    for (const deny of single ? [single] : denies) used.add(deny)
  }
  return [...used]
}

/** The same allow for one of its targets alone, or one of its subjects; each is made once. */
export function partsOf(rule: ResolvedRule): { readonly targets: readonly ResolvedRule[]; readonly who: readonly ResolvedRule[] } {
  return {
    targets: rule.targets.length < 2 ? [] : rule.targets.map(target => ({ ...rule, targets: [target] })),
    who: rule.who.length < 2 ? [] : rule.who.map(one => ({ ...rule, who: [one] })),
  }
}

/** Quick: whether some deny is about what the first target means at all. */
export function mayBeOverridden(rule: ResolvedRule, bundle: Bundle, lock: Lock | undefined): boolean {
  if (!lock || !placesOf(rule, lock)) return bundle.rules.some(isDeny)
  const index = placeIndexOf(bundle, lock)
  return (placesOf(rule, lock) ?? []).some(place => (index.get(place) ?? []).some(isDeny))
}
