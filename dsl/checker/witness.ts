// An example call that a rule without conditions surely matches.
import type { ResolvedRule } from '../bundle/bundle.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Lock } from '../lock/lock.ts'
import { type Reached, toolsOfRule } from './reach.ts'

/** Nothing where a condition decides, where the tool needs arguments, or where nothing is known to call. */
export function witnessOf(rule: ResolvedRule, lock: Lock | undefined, reached?: Reached): Pick<Diagnostic, 'witness'> {
  if (lock === undefined || rule.when !== undefined || rule.unless !== undefined || rule.after !== undefined) return {}
  if (rule.notWho.length > 0) return {}
  const who = rule.who[0]
  const call = reached ?? toolsOfRule(lock, rule)[0]
  if (who === undefined || call === undefined || who.agents.length > 1 || who.tenants.length > 1) return {}
  const { inputSchema } = call.tool
  const needs = typeof inputSchema === 'boolean' ? undefined : inputSchema.required
  if (inputSchema === false || (Array.isArray(needs) && needs.length > 0)) return {}
  const [tenant] = who.tenants
  const principal = { id: who.agents[0] ?? 'somebody', roles: who.roles, ...(tenant === undefined ? {} : { tenant }) }
  return { witness: { principal, call: call.path, args: {} } }
}
