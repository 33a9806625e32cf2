// A call that shows what is claimed, in the form of `mcpgw policy eval --call`; only one that was tried is ever shown.
import type { Action } from '../ast.ts'
import type { ResolvedRule } from '../bundle/bundle.ts'
import type { Condition } from '../cel/condition.ts'
import type { JsonSchema } from '../lock/lock.ts'
import type { Value } from '../value.ts'
import { fieldOf, requiredOf, valuesOf } from './schema.ts'
import type { Model } from './solve.ts'
import { domainOf, isTrue, pickValue } from './values.ts'

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }
type Fields = { [name: string]: Json }

export interface Where {
  readonly action: Action
  readonly server: string
  readonly name: string
  readonly schema?: JsonSchema
}

/** A concrete target under the first pattern of a rule. */
export function placeUnder(rule: ResolvedRule): Where | undefined {
  const target = rule.targets[0]
  if (!target || (target.action === 'read' && !target.quoted)) return undefined
  const fill = (text: string, literal: boolean): string => (literal ? text : text.replace(/\*+/g, 'x'))
  return { action: target.action, server: fill(target.server, false), name: fill(target.name, target.quoted && target.action !== 'read') }
}

export function witnessOf(model: Model, where: Where): Readonly<Record<string, unknown>> | undefined {
  const roles: string[] = []
  const principal: Fields = { id: 'someone', tenant: 'default' }
  const args: Fields = {}
  const required = where.schema === undefined ? [] : requiredOf(where.schema, where.schema)
  for (const { term, domain } of model.values()) {
    if (term.key.startsWith('role ') && domain.flags === isTrue) roles.push(JSON.parse(term.key.slice('role '.length)) as string)
    const [root, ...path] = term.path ?? []
    if (path.length === 0 || (root !== 'args' && root !== 'principal')) continue
    const value = pickValue(domain) as Json | undefined
    if (value !== undefined) put(root === 'args' ? args : principal, path, value)
  }
  for (const name of required) {
    if (Object.hasOwn(args, name)) continue
    const value = where.schema === undefined ? undefined : sampleOf(where.schema, name)
    if (value === undefined) return undefined
    put(args, [name], value)
  }
  const call: Fields = { principal: { ...principal, roles } }
  call[where.action] = `${where.server}/${where.name}`
  if (where.action === 'call' || where.action === 'prompt') call.args = args
  return call
}

function sampleOf(schema: JsonSchema, name: string): Json | undefined {
  const field = fieldOf(schema, [name])
  if (field.kind !== 'declared') return undefined
  const { set, whole } = valuesOf(field.schema, schema)
  return pickValue(domainOf(set, whole)) as Json | undefined
}

function put(into: Fields, path: readonly string[], value: Json): void {
  const [name, ...rest] = path as [string, ...string[]]
  if (name === '__proto__') return
  if (rest.length === 0) {
    // What is within it may be there already.
    if (!Object.hasOwn(into, name) || typeof value !== 'object') into[name] = value
    return
  }
  const inner = Object.hasOwn(into, name) ? into[name] : undefined
  const fields: Fields = typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? { ...(inner as Fields) } : {}
  put(fields, rest, value)
  into[name] = fields
}

/** What `when` and `unless` say of a witness; undefined where that needs more than a call has. */
export function tryOut(rule: ResolvedRule, call: Readonly<Record<string, unknown>>): boolean | 'error' | undefined {
  let errs = false
  for (const [condition, wanted] of [
    [rule.when, true],
    [rule.unless, false],
  ] as const) {
    if (!condition) continue
    if ([...condition.reads].some(name => name !== 'args' && name !== 'principal')) return undefined
    const truth = truthOf(condition, call)
    if (typeof truth === 'object') errs = true
    else if (truth !== wanted) return false
  }
  return errs ? 'error' : true
}

function truthOf(condition: Condition, { principal, args }: Readonly<Record<string, unknown>>): ReturnType<Condition['evaluate']> {
  const person = { claims: {}, ...(principal as object) }
  return condition.evaluate(
    new Map([
      ['args', toValue(args ?? {})],
      ['principal', toValue(person)],
    ]),
  )
}

function toValue(json: unknown): Value {
  if (typeof json === 'number') return Number.isInteger(json) ? BigInt(json) : json
  if (Array.isArray(json)) return json.map(toValue)
  if (typeof json === 'object' && json !== null) return new Map(Object.entries(json).map(([name, value]) => [name, toValue(value)]))
  return json as Value
}
