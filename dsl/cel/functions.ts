// Every function of the language by name and number of arguments.

import { arithmetic } from './arithmetic.ts'
import { conversions } from './conversions.ts'
import { netFunctions } from './net.ts'
import type { CelNode } from './node.ts'
import type { Overload } from './overload.ts'
import { pathFunctions } from './path.ts'
import { sqlFunctions } from './sql.ts'
import { textFunctions } from './text-functions.ts'
import { timeFunctions } from './time-functions.ts'
import { urlFunctions } from './url.ts'
import { type Comprehension, comprehensionOf } from './walk.ts'

const all: readonly Overload[] = [
  ...conversions,
  ...textFunctions,
  ...timeFunctions,
  ...sqlFunctions,
  ...pathFunctions,
  ...urlFunctions,
  ...netFunctions,
]

const key = (name: string, method: boolean, count: number): string => `${method ? '.' : ''}${name}/${count}`

function byKey(overloads: readonly Overload[]): ReadonlyMap<string, readonly Overload[]> {
  const table = new Map<string, Overload[]>()
  for (const one of overloads) {
    const place = key(one.name, one.method, one.takes.length)
    table.set(place, [...(table.get(place) ?? []), one])
  }
  return table
}
const table = byKey(all)
const operators = byKey(arithmetic)

export const functionNames: ReadonlySet<string> = new Set([
  ...all.map(one => one.name),
  'has',
  'matches',
  'all',
  'exists',
  'exists_one',
  'map',
  'filter',
])
/** `sql`, `path`, `url`, `net`. */
export const namespaces: ReadonlySet<string> = new Set(all.flatMap(one => (one.name.includes('.') ? [one.name.split('.')[0]!] : [])))

export const operatorOverloads = (op: string, count: number): readonly Overload[] => operators.get(key(op, false, count)) ?? []

/** What a call node means, whatever its types are. */
export type Call =
  | { readonly kind: 'has'; readonly field: CelNode }
  | { readonly kind: 'matches'; readonly text: CelNode; readonly pattern: CelNode }
  | ({ readonly kind: 'comprehension' } & Comprehension)
  | { readonly kind: 'function'; readonly name: string; readonly args: readonly CelNode[]; readonly overloads: readonly Overload[] }

export function callOf(node: CelNode & { readonly op: 'call' | 'rcall' }): Call {
  if (node.op === 'call') {
    const [name, args] = node.args
    if (name === 'has' && args.length === 1) return { kind: 'has', field: args[0]! }
    if (name === 'matches' && args.length === 2) return { kind: 'matches', text: args[0]!, pattern: args[1]! }
    return { kind: 'function', name, args, overloads: table.get(key(name, false, args.length)) ?? [] }
  }
  const [name, receiver, args] = node.args
  const comprehension = comprehensionOf(node)
  if (comprehension !== undefined) return { kind: 'comprehension', ...comprehension }
  if (name === 'matches' && args.length === 1) return { kind: 'matches', text: receiver, pattern: args[0]! }
  if (receiver.op === 'id' && namespaces.has(receiver.args)) {
    const full = `${receiver.args}.${name}`
    return { kind: 'function', name: full, args, overloads: table.get(key(full, false, args.length)) ?? [] }
  }
  const operands = [receiver, ...args]
  return { kind: 'function', name, args: operands, overloads: table.get(key(name, true, operands.length)) ?? [] }
}
