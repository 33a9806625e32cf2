// From facts to the variables of a condition: made only when a rule reads them, once a decision.
import type { Facts, Subject } from '../facts.ts'
import type { Value } from '../value.ts'

type Item = Pick<Facts, 'action' | 'server' | 'name' | 'annotations'>

/** Names of what is not known while lists are narrowed. */
export const UNKNOWN_IN_LISTS: ReadonlySet<string> = new Set(['args', 'request', 'session'])
const NOTHING: ReadonlyMap<string, Value> = new Map()

/** Adds those of `names` that are not there yet. What a request has no value for stays away: reading it is an error of the condition. */
export function bind(bindings: Map<string, Value>, names: ReadonlySet<string>, facts: Facts): void {
  for (const name of names) {
    if (bindings.has(name)) continue
    const value = variableOf(name, facts)
    if (value !== undefined) bindings.set(name, value)
  }
}

/** The same of an entry of a list. */
export function bindKnown(bindings: Map<string, Value>, names: ReadonlySet<string>, subject: Subject, item: Item): void {
  for (const name of names) {
    if (bindings.has(name)) continue
    const value = name === 'principal' ? principalOf(subject) : itemOf(name, item)
    if (value !== undefined) bindings.set(name, value)
  }
}

function variableOf(name: string, facts: Facts): Value | undefined {
  switch (name) {
    case 'args':
      return facts.args ?? (facts.action === 'call' || facts.action === 'prompt' ? NOTHING : undefined)
    case 'principal':
      return principalOf(facts.principal)
    case 'request':
      return requestOf(facts.request)
    case 'session':
      return facts.session === undefined ? NOTHING : new Map<string, Value>(Object.entries(facts.session))
    default:
      return itemOf(name, facts)
  }
}

function itemOf(name: string, item: Item): Value | undefined {
  if (name === 'tool' && item.action === 'call') return toolOf(item)
  if (name !== 'resource' || item.action !== 'read') return undefined
  return new Map([
    ['server', item.server],
    ['uri', item.name],
  ])
}

function toolOf({ server, name, annotations }: Item): Value {
  const tool = new Map<string, Value>([
    ['server', server],
    ['name', name],
  ])
  if (annotations !== undefined) tool.set('annotations', annotations)
  return tool
}

function principalOf({ id, name, roles, tenant, claims }: Subject): Value {
  const principal = new Map<string, Value>([
    ['id', id],
    ['roles', roles],
    ['tenant', tenant],
    ['claims', claims],
  ])
  if (name !== undefined) principal.set('name', name)
  return principal
}

function requestOf({ time, ip, transport }: Facts['request']): Value {
  const request = new Map<string, Value>([['time', time]])
  if (ip !== undefined) request.set('ip', ip)
  if (transport !== undefined) request.set('transport', transport)
  return request
}
