// Which rule a request is under: compiled globs of what it is about, and whether a request of its kind may be answered from what is kept at all.
import { compileGlob, type Exchange, nameOf, type Payload, type Resource } from 'mcpgw/plugin'
import type { CacheConfig, RuleConfig, Subject } from './config.ts'

type Fits = (name: string) => boolean
type Kept = Extract<Resource, { kind: 'call' | 'read' | 'prompt' }>

const ACTIONS: Readonly<Record<string, Kept['kind']>> = { 'tools/call': 'call', 'resources/read': 'read', 'prompts/get': 'prompt' }
const SUBJECTS: Readonly<Record<Kept['kind'], readonly Subject[]>> = {
  call: ['tools', 'readOnlyTools'],
  read: ['resources'],
  prompt: ['prompts'],
}

/** Undefined where nothing of it is kept. */
export type RuleOf = (x: Exchange) => { readonly rule: RuleConfig; readonly resource: Kept } | undefined

export function compileRules({ rules }: CacheConfig): RuleOf {
  const compiled = (['call', 'read', 'prompt'] as const).map(kind => [kind, rules.flatMap(rule => compileRule(rule, kind))] as const)
  const byKind = new Map(compiled)
  return x => {
    const { resource } = x
    // A completion is about a prompt or a resource, a request about a task about a tool: neither is kept.
    if (x.direction !== 'to-server' || ACTIONS[x.action] !== resource.kind) return undefined
    const kept = resource as Kept
    const rules = byKind.get(kept.kind)!
    if (rules.length === 0) return undefined
    const name = `${kept.server}/${nameOf(kept)}`
    const found = rules.find(({ fits, readOnly }) => fits(name) && (!readOnly || isReadOnly(kept)))
    return found === undefined || found.rule.ttl === 0 ? undefined : { rule: found.rule, resource: kept }
  }
}

function compileRule(rule: RuleConfig, kind: Kept['kind']): { rule: RuleConfig; fits: Fits; readOnly: boolean }[] {
  return SUBJECTS[kind].flatMap(subject => {
    const globs = rule[subject]?.map(pattern => compileGlob(pattern))
    return globs === undefined ? [] : [{ rule, fits: name => globs.some(glob => glob(name)), readOnly: subject === 'readOnlyTools' }]
  })
}

/** Definitions are the same objects from call to call. */
const readOnly = new WeakMap<Payload, boolean>()

function isReadOnly(resource: Kept): boolean {
  const definition = resource.kind === 'call' ? resource.definition : undefined
  if (definition === undefined) return false
  let known = readOnly.get(definition)
  if (known === undefined) {
    const { annotations } = definition.value as { readonly annotations?: { readonly readOnlyHint?: unknown } }
    known = annotations?.readOnlyHint === true
    readOnly.set(definition, known)
  }
  return known
}
