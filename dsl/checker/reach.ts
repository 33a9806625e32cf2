// What of the lock a pattern is about. Every pattern is matched once against the servers, and once against the names of each.
import type { TargetPattern } from '../bundle/bundle.ts'
import { nameMatcher, serverMatcher } from '../evaluator/target.ts'
import type { Lock, LockedTool } from '../lock/lock.ts'

export interface Reached {
  readonly server: string
  readonly tool: LockedTool
  /** `server/tool`. */
  readonly path: string
}
export type Pattern = Pick<TargetPattern, 'action' | 'server' | 'name' | 'quoted'>

interface Known {
  readonly servers: Map<string, readonly string[]>
  readonly tools: Map<string, readonly Reached[]>
  readonly all: ReadonlyMap<string, readonly Reached[]>
  readonly every: readonly Reached[]
}
const known = new WeakMap<Lock, Known>()

function knownOf(lock: Lock): Known {
  const before = known.get(lock)
  if (before !== undefined) return before
  const all = new Map(
    Object.entries(lock.servers).map(([server, { tools }]) => [
      server,
      tools.map(tool => ({ server, tool, path: `${server}/${tool.name}` })),
    ]),
  )
  const made = {
    servers: new Map<string, readonly string[]>(),
    tools: new Map<string, readonly Reached[]>(),
    all,
    every: [...all.values()].flat(),
  }
  known.set(lock, made)
  return made
}

export function serversOf(lock: Lock, pattern: string): readonly string[] {
  return remember(knownOf(lock).servers, pattern, () => {
    if (!pattern.includes('*')) return Object.hasOwn(lock.servers, pattern) ? [pattern] : []
    return Object.keys(lock.servers).filter(serverMatcher(pattern))
  })
}

/** Of a `call` pattern; none for any other. */
export function toolsOf(lock: Lock, pattern: Pattern): readonly Reached[] {
  if (pattern.action !== 'call') return []
  const { all, tools } = knownOf(lock)
  return remember(tools, JSON.stringify([pattern.server, pattern.name, pattern.quoted]), () => {
    const matches = nameMatcher(pattern)
    return serversOf(lock, pattern.server).flatMap(server => (all.get(server) ?? []).filter(({ tool }) => matches(tool.name)))
  })
}

export function everyTool(lock: Lock): readonly Reached[] {
  return knownOf(lock).every
}

/** The tools that a rule is about, exceptions taken out. */
export function toolsOfRule(
  lock: Lock,
  { targets, notTargets }: { readonly targets: readonly Pattern[]; readonly notTargets: readonly Pattern[] },
): readonly Reached[] {
  const wanted = targets.length === 1 ? toolsOf(lock, targets[0]!) : [...new Set(targets.flatMap(target => toolsOf(lock, target)))]
  if (notTargets.length === 0) return wanted
  const without = new Set(notTargets.flatMap(target => toolsOf(lock, target)))
  return wanted.filter(one => !without.has(one))
}

function remember<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const before = map.get(key)
  if (before !== undefined) return before
  const made = make()
  map.set(key, made)
  return made
}
