// Finds the rules that can be about a call without asking all: by action, server and name, then by role.
import type { Action } from '../ast.ts'
import type { Subject } from '../facts.ts'
import { type CompiledRule, isAbout } from './compiled-rule.ts'

/** Rules about one target, by what they ask of the caller. A rule may be in several of them. */
export interface Audience {
  readonly anyone: readonly CompiledRule[]
  readonly byRole: ReadonlyMap<string, readonly CompiledRule[]>
  readonly byAgent: ReadonlyMap<string, readonly CompiledRule[]>
  readonly byTenant: ReadonlyMap<string, readonly CompiledRule[]>
}
export interface RuleIndex {
  /** Of a normalised uri, where the action is `read`. */
  audienceOf(action: Action, server: string, name: string): Audience
}

/** So many targets are remembered, and as many of the time before. */
const REMEMBERED = 4096
/** Longer names are looked up each time. */
const LONGEST = 512

export function indexRules(rules: readonly CompiledRule[]): RuleIndex {
  const byAction: Readonly<Record<Action, Shelf>> = { call: shelf(), read: shelf(), prompt: shelf(), method: shelf() }
  for (const rule of rules) put(byAction, rule)
  let recent = new Map<string, Audience>()
  let older = new Map<string, Audience>()
  return {
    audienceOf(action, server, name) {
      // Invariant: ids of servers have no line break, and an action has no space.
      const key = `${action} ${server}\n${name}`
      const known = recent.get(key) ?? older.get(key)
      if (known !== undefined) return known
      const made = audience(candidates(byAction[action], server, name).filter(rule => isAbout(rule, action, server, name)))
      if (name.length > LONGEST) return made
      if (recent.size >= REMEMBERED) [older, recent] = [recent, new Map()]
      recent.set(key, made)
      return made
    },
  }
}

/** Rules of one action: by exact server and name, by exact server alone, and those whose server is a pattern. */
interface Shelf {
  readonly exact: Map<string, Map<string, Set<CompiledRule>>>
  readonly byServer: Map<string, Set<CompiledRule>>
  readonly anywhere: Set<CompiledRule>
}

function shelf(): Shelf {
  return { exact: new Map(), byServer: new Map(), anywhere: new Set() }
}

function put(byAction: Readonly<Record<Action, Shelf>>, rule: CompiledRule): void {
  for (const { action, pattern } of rule.targets) {
    const { exact, byServer, anywhere } = byAction[action]
    if (pattern.server.includes('*')) anywhere.add(rule)
    // Uris are compared in another spelling than the pattern's.
    else if (action === 'read' || (!pattern.quoted && pattern.name.includes('*'))) entry(byServer, pattern.server, newSet).add(rule)
    else entry(entry(exact, pattern.server, newMap), pattern.name, newSet).add(rule)
  }
}

const newSet = (): Set<CompiledRule> => new Set()
const newMap = (): Map<string, Set<CompiledRule>> => new Map()

function entry<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

function candidates({ exact, byServer, anywhere }: Shelf, server: string, name: string): CompiledRule[] {
  const found = new Set(anywhere)
  for (const rule of byServer.get(server) ?? []) found.add(rule)
  for (const rule of exact.get(server)?.get(name) ?? []) found.add(rule)
  return [...found]
}

function audience(rules: readonly CompiledRule[]): Audience {
  const anyone = new Set<CompiledRule>()
  const byRole = new Map<string, Set<CompiledRule>>()
  const byAgent = new Map<string, Set<CompiledRule>>()
  const byTenant = new Map<string, Set<CompiledRule>>()
  for (const rule of rules)
    for (const { roles, agents, tenants } of rule.rule.who) {
      if (agents[0] !== undefined) entry(byAgent, agents[0], newSet).add(rule)
      else if (roles[0] !== undefined) entry(byRole, roles[0], newSet).add(rule)
      else if (tenants[0] !== undefined) entry(byTenant, tenants[0], newSet).add(rule)
      else anyone.add(rule)
    }
  return { anyone: [...anyone], byRole: listed(byRole), byAgent: listed(byAgent), byTenant: listed(byTenant) }
}

function listed(sets: ReadonlyMap<string, ReadonlySet<CompiledRule>>): ReadonlyMap<string, readonly CompiledRule[]> {
  return new Map([...sets].map(([key, rules]) => [key, [...rules]]))
}

/** Asks `visit` for each rule that may be for this subject, once. */
export function visitRules(audience: Audience, subject: Subject, decision: number, visit: (rule: CompiledRule) => void): void {
  visitAll(audience.anyone, decision, visit)
  if (audience.byRole.size > 0) for (const role of subject.roles) visitAll(audience.byRole.get(role), decision, visit)
  if (audience.byAgent.size > 0) visitAll(audience.byAgent.get(subject.id), decision, visit)
  if (audience.byTenant.size > 0) visitAll(audience.byTenant.get(subject.tenant), decision, visit)
}

function visitAll(rules: readonly CompiledRule[] | undefined, decision: number, visit: (rule: CompiledRule) => void): void {
  if (rules === undefined) return
  for (const rule of rules) {
    if (rule.seenIn === decision) continue
    rule.seenIn = decision
    visit(rule)
  }
}
