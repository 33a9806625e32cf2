// Who a rule is about. Pure, and cannot err: roles, agent and tenant are compared as whole strings.
import type { SubjectPattern } from '../bundle/bundle.ts'
import type { Subject } from '../facts.ts'

export function isAnyOf(patterns: readonly SubjectPattern[], subject: Subject): boolean {
  for (const pattern of patterns) if (isOf(pattern, subject)) return true
  return false
}

function isOf({ roles, agents, tenants }: SubjectPattern, subject: Subject): boolean {
  for (const role of roles) if (!subject.roles.includes(role)) return false
  for (const agent of agents) if (subject.id !== agent) return false
  for (const tenant of tenants) if (subject.tenant !== tenant) return false
  return true
}
