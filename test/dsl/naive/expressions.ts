// Conditions, evaluated the slow way: a walk over the syntax tree of the package, for what the generator writes and no more.
import { parse } from 'cel-js'
import type { CelNode } from '../../../dsl/cel/node.ts'
import type { Value } from '../../../dsl/value.ts'

export type Answer = boolean | 'cel-error' | 'not-boolean'
type Variables = ReadonlyMap<string, Value | undefined>

const trees = new Map<string, CelNode>()

/** Lets stand in `lets` as text. */
export function ask(text: string, lets: ReadonlyMap<string, string>, variables: Variables): Answer {
  try {
    const value = walk(tree(text), lets, variables)
    return typeof value === 'boolean' ? value : 'not-boolean'
  } catch {
    return 'cel-error'
  }
}

function tree(text: string): CelNode {
  if (!trees.has(text)) {
    if (trees.size > 10_000) trees.clear()
    trees.set(text, parse(text).ast)
  }
  return trees.get(text)!
}

function walk(node: CelNode, lets: ReadonlyMap<string, string>, variables: Variables): Value {
  const of = (one: CelNode): Value => walk(one, lets, variables)
  switch (node.op) {
    case 'value':
      return node.args as Value
    case 'id': {
      const written = lets.get(node.args)
      if (written !== undefined) return of(tree(written))
      return present(variables.get(node.args))
    }
    case '.':
      return present(member(of(node.args[0]), node.args[1]))
    case 'list':
      return node.args.map(of)
    case '!_':
      return !truth(of(node.args))
    case '&&':
      return join(
        () => truth(of(node.args[0])),
        () => truth(of(node.args[1])),
        false,
      )
    case '||':
      return join(
        () => truth(of(node.args[0])),
        () => truth(of(node.args[1])),
        true,
      )
    case '==':
      return equal(of(node.args[0]), of(node.args[1]))
    case '!=':
      return !equal(of(node.args[0]), of(node.args[1]))
    case 'in':
      return (of(node.args[1]) as readonly Value[]).some(one => equal(one, of(node.args[0])))
    case '<':
      return order(of(node.args[0]), of(node.args[1])) < 0
    case '<=':
      return order(of(node.args[0]), of(node.args[1])) <= 0
    case '>':
      return order(of(node.args[0]), of(node.args[1])) > 0
    case '>=':
      return order(of(node.args[0]), of(node.args[1])) >= 0
    case 'call': {
      const [name, [first]] = node.args
      if (name === 'timestamp') return new Date(of(first!) as string)
      if (name !== 'has' || first?.op !== '.') throw new Error(name)
      return member(of(first.args[0]), first.args[1]) !== undefined
    }
    case 'rcall': {
      const [name, receiver, [first]] = node.args
      const [text, other] = [of(receiver), of(first!)]
      if (typeof text !== 'string' || typeof other !== 'string' || name !== 'startsWith') throw new Error(name)
      return text.startsWith(other)
    }
    default:
      throw new Error(node.op)
  }
}

function present(value: Value | undefined): Value {
  if (value === undefined) throw new Error('absent')
  return value
}

function member(of: Value, name: string): Value | undefined {
  if (!(of instanceof Map)) throw new Error('no object')
  return (of as ReadonlyMap<string, Value>).get(name)
}

function truth(value: Value): boolean {
  if (typeof value !== 'boolean') throw new Error('no boolean')
  return value
}

/** Whichever side is `wins` decides, even where the other is an error. */
function join(left: () => boolean, right: () => boolean, wins: boolean): boolean {
  let error: unknown
  for (const side of [left, right]) {
    try {
      if (side() === wins) return wins
    } catch (thrown) {
      error = thrown
    }
  }
  if (error !== undefined) throw error
  return !wins
}

function equal(a: Value, b: Value): boolean {
  if (a === b) return true
  if (isNumber(a) && isNumber(b)) return Number(a) === Number(b)
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, i) => equal(one as Value, b[i] as Value))
  return false
}

function order(a: Value, b: Value): number {
  if (isNumber(a) && isNumber(b)) return Number(a) - Number(b)
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0
  if (a instanceof Date && b instanceof Date) return a.getTime() - b.getTime()
  throw new Error('no order')
}

function isNumber(value: Value): value is bigint | number {
  return typeof value === 'bigint' || typeof value === 'number'
}
