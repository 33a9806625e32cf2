// A quick no: whether one rule can be for everybody that another one is for, by the names alone.
import type { ResolvedRule, SubjectPattern } from '../bundle/bundle.ts'

/** False where somebody with just the roles that `inner` names is left out by `outer`; true proves nothing. */
export function mayCoverSubjects(outer: ResolvedRule, inner: ResolvedRule): boolean {
  // Whoever is excepted may be the very one.
  if (inner.notWho.length > 0) return true
  return inner.who.every(one => outer.who.some(other => isWithin(one, other)))
}

function isWithin(inner: SubjectPattern, outer: SubjectPattern): boolean {
  return (
    outer.roles.every(role => inner.roles.includes(role)) &&
    outer.agents.every(agent => inner.agents.includes(agent)) &&
    outer.tenants.every(tenant => inner.tenants.includes(tenant))
  )
}
