// What a condition is made of, for people who ask which part failed; values are told by kind and size, never shown.
import type { CelSlice } from '../ast.ts'
import { allVariables } from '../bundle/scope.ts'
import { compileCondition } from '../cel/compile.ts'
import type { Bindings, Truth } from '../cel/condition.ts'
import type { CelNode } from '../cel/node.ts'
import type { Value } from '../value.ts'

/** What `&&` joins, from left to right. */
export function partsOf(node: CelNode): readonly CelNode[] {
  return node.op === '&&' ? [...partsOf(node.args[0]), ...partsOf(node.args[1])] : [node]
}

export function evaluatePart(slice: CelSlice, lets: ReadonlyMap<string, CelSlice>, bindings: Bindings): Truth {
  return compileCondition(slice, { lets, variables: allVariables }).condition?.evaluate(bindings) ?? { error: 'cel-error' }
}

/** Each chain of members that starts at a variable, e.g. `args.customer.id`, the longest ones. */
export function valuesRead(node: CelNode, bindings: Bindings): readonly { readonly name: string; readonly is: string }[] {
  const chains = new Map<string, readonly string[]>()
  collect(node, chains)
  return [...chains].flatMap(([name, [root, ...members]]) => {
    if (root === undefined || !allVariables.has(root)) return []
    return [{ name, is: describe(follow(bindings.get(root), members)) }]
  })
}

function collect(value: unknown, into: Map<string, readonly string[]>): void {
  if (Array.isArray(value)) for (const one of value) collect(one, into)
  else if (isNode(value)) {
    const chain = chainOf(value)
    if (chain !== undefined) into.set(chain.join('.'), chain)
    else collect(value.args, into)
  }
}

function isNode(value: unknown): value is CelNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value
}

function chainOf(node: CelNode): readonly string[] | undefined {
  if (node.op === 'id') return [node.args]
  if (node.op !== '.') return undefined
  const before = chainOf(node.args[0])
  return before === undefined ? undefined : [...before, node.args[1]]
}

function follow(value: Value | undefined, members: readonly string[]): Value | undefined {
  let at = value
  for (const member of members) at = at instanceof Map ? (at as ReadonlyMap<string, Value>).get(member) : undefined
  return at
}

function describe(value: Value | undefined): string {
  if (value === undefined) return 'absent'
  if (value === null) return 'null'
  if (typeof value === 'string') return `a string of ${value.length}`
  if (typeof value === 'bigint') return 'an integer'
  if (typeof value === 'number') return 'a number'
  if (typeof value === 'boolean') return 'a boolean'
  if (value instanceof Date) return 'a time'
  if (value instanceof Map) return `an object of ${value.size}`
  return `a list of ${(value as readonly Value[]).length}`
}
