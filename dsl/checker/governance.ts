// Can people live with these rules? A deny says why; an allow that has ended or soon ends, or that gives everything, is told.
import type { ResolvedRule } from '../bundle/bundle.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { nameOfLock } from '../lock/live.ts'
import type { Lock } from '../lock/lock.ts'
import type { Check } from './context.ts'
import { everyTool, toolsOfRule } from './reach.ts'
import { finding, listSome } from './tell.ts'
import { witnessOf } from './witness.ts'

const day = 86_400_000
const soon = 30 * day

export const checkGovernance: Check = function* (bundle, { lock, now }) {
  for (const rule of bundle.rules) {
    // Nobody is told anything by a shadow rule.
    if (rule.shadow) continue
    if (rule.effect === 'deny' && rule.because === undefined) {
      const help = 'add `because "..."`: whoever is denied reads it'
      yield finding('deny-without-because', rule.nameSpan, `\`${rule.name}\` denies without a reason`, { help })
    }
    if (rule.effect !== 'allow') continue
    yield* checkExpiry(rule, now)
    const all = allowsAll(rule, lock)
    if (all !== undefined) {
      const message = `\`${rule.name}\` allows ${all} to ${whoText(rule)}`
      const help = 'name the servers that are needed, or take some out with `except`'
      yield finding('allow-all', rule.nameSpan, message, { help, ...witnessOf(rule, lock) })
    }
  }
}

function* checkExpiry(rule: ResolvedRule, now: Date): Generator<Diagnostic> {
  const end = rule.expiresAt
  if (end === undefined) return
  const date = Number.isFinite(end) && Math.abs(end) < 8.64e15 ? new Date(end - day).toISOString().slice(0, 10) : 'its date'
  if (end <= now.getTime()) {
    const help = 'remove the rule, or give it a later date'
    yield finding('expired', rule.nameSpan, `\`${rule.name}\` allowed until ${date} and allows nothing any more`, { help })
  } else if (end - now.getTime() <= soon) {
    const days = Math.ceil((end - now.getTime()) / day)
    const message = `\`${rule.name}\` allows until ${date} only: ${days} ${days === 1 ? 'day' : 'days'} from now`
    yield finding('expires-soon', rule.nameSpan, message, { help: 'give it a later date if it is still needed' })
  }
}

// With a condition, or an exception, somebody has thought about a bound.
function allowsAll(rule: ResolvedRule, lock: Lock | undefined): string | undefined {
  if (rule.when !== undefined || rule.unless !== undefined || rule.after !== undefined || rule.notTargets.length > 0) return undefined
  const calls = rule.targets.filter(target => target.action === 'call' && !target.quoted)
  if (calls.some(target => /^\*+$/.test(target.server) && /^\*+$/.test(target.name))) return 'every tool of every server'
  if (lock === undefined || lock.unreached?.length || Object.keys(lock.servers).length < 3) return undefined
  const all = everyTool(lock).length
  return all > 0 && toolsOfRule(lock, rule).length === all ? `all ${all} tools that ${nameOfLock(lock)} has` : undefined
}

function whoText(rule: ResolvedRule): string {
  const parts = rule.who.map(({ roles, agents, tenants }) =>
    [...roles.map(one => `role \`${one}\``), ...agents.map(one => `agent \`${one}\``), ...tenants.map(one => `tenant \`${one}\``)].join(
      ' in ',
    ),
  )
  return parts.some(part => part === '') ? 'everybody' : listPlain(parts)
}

function listPlain(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
}

/** A destructive tool asks for a second person or a limit, in the rule that allows it or in a require. */
export const checkDestructive: Check = function* (bundle, { lock }) {
  if (lock === undefined) return
  const destructive = new Set(
    everyTool(lock).filter(({ tool: { annotations: says } }) => says?.destructiveHint === true && says.readOnlyHint !== true),
  )
  if (destructive.size === 0) return
  const held = new Set(bundle.rules.filter(one => one.effect === 'require' && isHeld(one)).flatMap(one => toolsOfRule(lock, one)))
  for (const rule of bundle.rules) {
    if (rule.effect !== 'allow' || isHeld(rule)) continue
    const free = toolsOfRule(lock, rule).filter(one => destructive.has(one) && !held.has(one))
    if (rule.shadow || free.length === 0) continue
    const which = `${listSome(free.map(one => one.path))}, which ${free.length === 1 ? 'is' : 'are'} destructive`
    yield finding('destructive-allowed', rule.nameSpan, `\`${rule.name}\` allows ${which}, without approval or limit`, {
      help: 'add `then limit(10, per: 1h, by: principal)`, or a require with `approval`',
      ...witnessOf(rule, lock, free[0]),
    })
  }
}

function isHeld({ shadow, obligations }: ResolvedRule): boolean {
  return !shadow && obligations.some(({ name }) => name === 'approval' || name === 'limit')
}
