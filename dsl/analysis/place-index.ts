// Which rules are about a tool or prompt of the lock: built once for a bundle, so that no check compares every rule with every other.
import type { Bundle, ResolvedRule, TargetPattern } from '../bundle/bundle.ts'
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

const byServer = new WeakMap<
  Bundle,
  { readonly literal: ReadonlyMap<string, readonly ResolvedRule[]>; readonly glob: readonly ResolvedRule[] }
>()

/** The rules that may be about everything that a target means: those that name its server, and those with a glob there. */
export function rulesNear(bundle: Bundle, { server, action }: TargetPattern): readonly ResolvedRule[] {
  let index = byServer.get(bundle)
  if (!index) {
    const literal = new Map<string, ResolvedRule[]>()
    const glob: ResolvedRule[] = []
    for (const rule of bundle.rules) {
      if (rule.targets.some(target => target.server.includes('*'))) glob.push(rule)
      else {
        for (const name of new Set(rule.targets.map(target => keyOf(target)))) {
          const rules = literal.get(name)
          if (rules) rules.push(rule)
          else literal.set(name, [rule])
        }
      }
    }
    index = { literal, glob }
    byServer.set(bundle, index)
  }
  return [...(index.literal.get(keyOf({ server, action })) ?? []), ...index.glob]
}
function keyOf({ server, action }: Pick<TargetPattern, 'server' | 'action'>): string {
  return `${action} ${server}`
}
