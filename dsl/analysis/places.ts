// What the lock offers, and which of it each rule is about.
import type { Action } from '../ast.ts'
import type { ResolvedRule, TargetPattern } from '../bundle/bundle.ts'
import { nameMatcher, serverMatcher } from '../evaluator/target.ts'
import { normaliseUri } from '../evaluator/uri.ts'
import { mayMeanUnreached } from '../lock/live.ts'
import type { JsonSchema, Lock } from '../lock/lock.ts'
import { anyText, type Glob, literalGlob, nameGlob, uriGlob } from './glob.ts'

/** A tool or prompt of the lock. */
export interface Place {
  readonly action: Action
  readonly server: string
  readonly name: string
  readonly schema: JsonSchema
}

const catalogs = new WeakMap<Lock, ReadonlyMap<string, readonly Place[]>>()
const found = new WeakMap<Lock, WeakMap<ResolvedRule, readonly Place[]>>()

/** Undefined where the lock cannot tell: there is none, or the rule is about reads or methods, or a server that it does not have. */
export function placesOf(rule: ResolvedRule, lock: Lock | undefined): readonly Place[] | undefined {
  const action = rule.targets[0]?.action
  if (!lock || (action !== 'call' && action !== 'prompt')) return undefined
  const known = found.get(lock) ?? new WeakMap<ResolvedRule, readonly Place[]>()
  found.set(lock, known)
  let places = known.get(rule)
  if (!places) {
    const patterns = rule.targets.flatMap(target => placesUnder(target, lock))
    const excepted = new Set(rule.notTargets.flatMap(target => placesUnder(target, lock)))
    places = [...new Set(patterns)].filter(place => !excepted.has(place))
    known.set(rule, places)
  }
  return isWithin(rule, lock) ? places : undefined
}
function isWithin(rule: ResolvedRule, lock: Lock): boolean {
  return rule.targets.every(({ server }) => (server.includes('*') ? !mayMeanUnreached(lock, server) : Object.hasOwn(lock.servers, server)))
}

const under = new WeakMap<Lock, Map<string, readonly Place[]>>()

export function placesUnder(target: TargetPattern, lock: Lock): readonly Place[] {
  const known = under.get(lock) ?? new Map<string, readonly Place[]>()
  under.set(lock, known)
  const { action, server, name, quoted } = target
  const key = JSON.stringify([action, server, name, quoted])
  let places = known.get(key)
  if (!places) {
    const catalog = catalogOf(lock)
    const servers = server.includes('*') ? [...catalog.keys()].filter(serverMatcher(server)) : [server]
    const matches = nameMatcher(target)
    places = servers.flatMap(one => (catalog.get(one) ?? []).filter(place => place.action === action && matches(place.name)))
    known.set(key, places)
  }
  return places
}

const globs = new WeakMap<TargetPattern, { readonly server: Glob; readonly name: Glob }>()
function globsOf(target: TargetPattern): { readonly server: Glob; readonly name: Glob } {
  let both = globs.get(target)
  if (!both) {
    const { action, name, quoted } = target
    const read = quoted ? uriGlob(normaliseUri(name)) : anyText
    both = { server: nameGlob(target.server), name: action === 'read' ? read : quoted ? literalGlob(name) : nameGlob(name) }
    globs.set(target, both)
  }
  return both
}
export function serverGlob(target: TargetPattern): Glob {
  return globsOf(target).server
}
export function nameOf(target: TargetPattern): Glob {
  return globsOf(target).name
}

function catalogOf(lock: Lock): ReadonlyMap<string, readonly Place[]> {
  let catalog = catalogs.get(lock)
  if (!catalog) {
    catalog = new Map(
      Object.entries(lock.servers).map(([server, { tools, prompts }]) => [
        server,
        [
          ...tools.map((tool): Place => ({ action: 'call', server, name: tool.name, schema: tool.inputSchema })),
          ...prompts.map(
            (prompt): Place => ({ action: 'prompt', server, name: prompt.name, schema: schemaOfPrompt(prompt.arguments ?? []) }),
          ),
        ],
      ]),
    )
    catalogs.set(lock, catalog)
  }
  return catalog
}

/** Arguments of prompts are strings. */
function schemaOfPrompt(args: readonly { readonly name: string; readonly required?: boolean }[]): JsonSchema {
  return {
    type: 'object',
    properties: Object.fromEntries(args.map(({ name }) => [name, { type: 'string' }])),
    required: args.filter(({ required }) => required).map(({ name }) => name),
  }
}
