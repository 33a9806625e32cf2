// Whether one rule is about everything that another one is about.
import type { ResolvedRule, TargetPattern } from '../bundle/bundle.ts'
import { RESERVED_SERVER } from '../evaluator/target.ts'
import type { Lock } from '../lock/lock.ts'
import { contains, meet } from './glob.ts'
import { nameOf, placesOf, serverGlob } from './places.ts'

/** Proven: by enumeration where the lock knows, by the patterns elsewhere. */
export function coversTargets(outer: ResolvedRule, inner: ResolvedRule, lock: Lock | undefined): boolean {
  const places = placesOf(inner, lock)
  const outerPlaces = placesOf(outer, lock)
  if (places && outerPlaces && places.length > 0) {
    if (places.length > outerPlaces.length) return false
    const all = setOf(outerPlaces)
    return places.every(place => all.has(place))
  }
  return inner.targets.every(target => coversPattern(outer, target, inner.notTargets))
}

const sets = new WeakMap<readonly object[], ReadonlySet<object>>()
function setOf(places: readonly object[]): ReadonlySet<object> {
  let set = sets.get(places)
  if (!set) {
    set = new Set(places)
    sets.set(places, set)
  }
  return set
}

export function coversPattern(outer: ResolvedRule, target: TargetPattern, except: readonly TargetPattern[]): boolean {
  return (
    outer.targets.some(pattern => patternContains(pattern, target)) &&
    outer.notTargets.every(gap => !patternsMeet(gap, target) || except.some(pattern => patternContains(pattern, gap)))
  )
}

export function patternContains(outer: TargetPattern, inner: TargetPattern): boolean {
  if (outer.action !== inner.action) return false
  if (outer.server !== inner.server && !outer.server.includes('*')) return false
  const [a, b] = [serverGlob(outer), serverGlob(inner)]
  if (!a.literal && b.literal && b.text === RESERVED_SERVER) return false
  return contains(a, b) && contains(nameOf(outer), nameOf(inner))
}

/** Whether something may be meant by both, `gateway` aside. */
export function patternsMeet(a: TargetPattern, b: TargetPattern): boolean {
  return a.action === b.action && meet(serverGlob(a), serverGlob(b)) && meet(nameOf(a), nameOf(b))
}

/** Nothing is left of a rule's targets but what it excepts. */
export function hasNoTargets(rule: ResolvedRule): boolean {
  return rule.notTargets.length > 0 && rule.targets.every(target => rule.notTargets.some(gap => patternContains(gap, target)))
}
