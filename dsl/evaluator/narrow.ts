// What a list shows: everything but what is certainly denied. Whatever may be called is visible.
import type { Facts, Subject } from '../facts.ts'
import { UNKNOWN_IN_LISTS } from './bindings.ts'
import { prospects } from './clauses.ts'
import { type CompiledRule, isFor, isOver } from './compiled-rule.ts'
import { type RuleIndex, visitRules } from './rule-index.ts'
import { normaliseUri } from './uri.ts'

/** An entry of a list. `template`: `name` is a uri template. */
export interface ListedItem {
  readonly action: 'call' | 'read' | 'prompt'
  readonly server: string
  readonly name: string
  readonly annotations?: Facts['annotations']
  readonly template?: boolean
}

const UNKNOWN_IN_TEMPLATES: ReadonlySet<string> = new Set([...UNKNOWN_IN_LISTS, 'resource'])

/** `now`: an allow that ended before it shows nothing. */
export function narrowTo(index: RuleIndex, subject: Subject, item: ListedItem, now: number | undefined, decision: number): 'show' | 'hide' {
  const bindings = new Map()
  let allowed = false
  let denied = false
  const name = item.action === 'read' ? normaliseUri(item.name) : item.name
  const known = { ...item, name }
  visitRules(index.audienceOf(item.action, item.server, name), subject, decision, rule => {
    const { effect, shadow } = rule.rule
    if (shadow || effect === 'require' || denied || (effect === 'allow' && allowed) || !isFor(rule, subject)) return
    if (now !== undefined && isOver(rule, now)) return
    const { possible, certain } = prospects(rule.rule, subject, known, bindings)
    if (effect === 'allow') allowed ||= possible
    else denied ||= certain
  })
  return allowed && !denied ? 'show' : 'hide'
}

/** A template stands for many uris: shown where an allow may mean one of them, hidden by a deny that means all of the server. */
export function narrowTemplate(
  rules: readonly CompiledRule[],
  subject: Subject,
  item: ListedItem,
  now: number | undefined,
): 'show' | 'hide' {
  const bindings = new Map()
  const fixed = item.name.split('{', 1)[0]!
  let allowed = false
  for (const rule of rules) {
    const { effect, shadow } = rule.rule
    if (shadow || effect === 'require' || !isFor(rule, subject) || (now !== undefined && isOver(rule, now))) continue
    const about = rule.targets.filter(({ action, matchesServer }) => action === 'read' && matchesServer(item.server))
    const isWhole = about.some(({ pattern }) => !pattern.quoted) && !rule.notTargets.some(({ action }) => action === 'read')
    if (effect === 'deny' ? !isWhole : !about.some(({ pattern }) => !pattern.quoted || mayMeet(pattern.name, fixed))) continue
    const { possible, certain } = prospects(rule.rule, subject, item, bindings, UNKNOWN_IN_TEMPLATES)
    if (effect === 'deny' && certain) return 'hide'
    if (effect === 'allow' && possible) allowed = true
  }
  return allowed ? 'show' : 'hide'
}

/** Whether the fixed beginnings of a pattern and a template agree as far as both go. */
function mayMeet(pattern: string, fixed: string): boolean {
  const beginning = normaliseUri(pattern.split('*', 1)[0]!)
  const other = normaliseUri(fixed)
  return beginning.startsWith(other) || other.startsWith(beginning)
}
