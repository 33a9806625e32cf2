// Which rules are about a tool or prompt of the lock: built once for a bundle, so that no check compares every rule with every other.
import type { Bundle, ResolvedRule } from '../bundle/bundle.ts'
import type { Lock } from '../lock/lock.ts'
import { type Place, placesOf } from './places.ts'

export type PlaceIndex = ReadonlyMap<Place, readonly ResolvedRule[]>

const known = new WeakMap<Bundle, { readonly lock: Lock; readonly index: PlaceIndex }>()

export function placeIndexOf(bundle: Bundle, lock: Lock): PlaceIndex {
  const before = known.get(bundle)
  if (before?.lock === lock) return before.index
  const index = new Map<Place, ResolvedRule[]>()
  for (const rule of bundle.rules) {
    for (const place of placesOf(rule, lock) ?? []) {
      const rules = index.get(place)
      if (rules) rules.push(rule)
      else index.set(place, [rule])
    }
  }
  known.set(bundle, { lock, index })
  return index
}
