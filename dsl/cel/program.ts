// From a checked tree to nested closures: one for each node, so that a decision walks no tree and parses nothing.
import { Absent, type Cel, heavier, maxInt, minInt, type Result, TypeName, Uint, unknown } from './cel-value.ts'
import { compileComprehension } from './comprehension.ts'
import { namedTypes } from './conversions.ts'
import { dispatch } from './dispatch.ts'
import { compare, equal } from './equality.ts'
import { callOf, operatorOverloads } from './functions.ts'
import { compileLists } from './lists.ts'
import { literalOf } from './literal.ts'
import type { CelNode } from './node.ts'
import type { Pattern } from './regex.ts'
import type { Run } from './run.ts'

export type Step = (run: Run) => Result

/** What is known when a tree is compiled. */
export interface Compiling {
  readonly patterns: ReadonlyMap<CelNode, Pattern>
  /** Variables of comprehensions, and their places. */
  readonly locals: ReadonlyMap<string, number>
  /** Counts places. */
  readonly slots: { count: number }
}

export function compileNode(node: CelNode, at: Compiling): Step {
  const compile = (child: CelNode): Step => compileNode(child, at)
  const failed = new Absent('cel-error', node)
  switch (node.op) {
    case 'value': {
      const value = literalOf(node) ?? null
      return () => value
    }
    case 'id':
      return compileName(node.args, at, failed)
    case '.':
      return select(compile(node.args[0]), node.args[1], failed)
    case '[]':
      return index(compile(node.args[0]), compile(node.args[1]), failed)
    case 'list':
    case 'map':
      return compileLists(node, compile, failed)
    case '?:': {
      const [condition, yes, no] = node.args.map(compile) as [Step, Step, Step]
      return run => {
        const chosen = condition(run)
        if (chosen === true) return yes(run)
        return chosen === false ? no(run) : chosen instanceof Absent ? chosen : failed
      }
    }
    case '&&':
      return absorb(compile(node.args[0]), compile(node.args[1]), false, failed)
    case '||':
      return absorb(compile(node.args[0]), compile(node.args[1]), true, failed)
    case '!_': {
      const operand = compile(node.args)
      return run => {
        const value = operand(run)
        return typeof value === 'boolean' ? !value : value instanceof Absent ? value : failed
      }
    }
    case '-_': {
      if (node.args.op === 'value' && node.args.args === maxInt + 1n) return () => minInt
      return dispatch([compile(node.args)], operatorOverloads('-_', 1), failed)
    }
    case 'call':
    case 'rcall':
      return compileCall(node, at, failed)
    default:
      return compileBinary(node, compile, failed)
  }
}

function compileName(name: string, at: Compiling, failed: Absent): Step {
  const slot = at.locals.get(name)
  if (slot !== undefined) return run => run.slots[slot]!
  if (namedTypes.has(name)) {
    const type = new TypeName(name)
    return () => type
  }
  return run => {
    if (run.unknown?.has(name)) return unknown
    const value = run.bindings.get(name) as Cel | undefined
    return value === undefined ? failed : value
  }
}

function select(operand: Step, name: string, failed: Absent): Step {
  return run => {
    const value = operand(run)
    if (value instanceof Map) return found(value.get(name) as Cel | undefined, failed)
    return value instanceof Absent ? value : failed
  }
}

function index(operand: Step, key: Step, failed: Absent): Step {
  return run => {
    const value = operand(run)
    const at = key(run)
    if (value instanceof Absent) return at instanceof Absent ? heavier(value, at) : value
    if (at instanceof Absent) return at
    const plain = keyOf(at)
    if (plain === undefined) return failed
    if (Array.isArray(value)) return typeof plain === 'bigint' ? found((value as readonly Cel[])[Number(plain)], failed) : failed
    if (value instanceof Map) return found(value.get(plain) as Cel | undefined, failed)
    return failed
  }
}
const found = (value: Cel | undefined, failed: Absent): Result => (value === undefined ? failed : value)

/** Numbers that are equal are one key. */
export function keyOf(value: Cel): string | bigint | boolean | undefined {
  if (typeof value === 'string' || typeof value === 'bigint' || typeof value === 'boolean') return value
  if (value instanceof Uint) return value.value
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : undefined
}

/** && and ||: what decides does so from either side, whatever the other one is. */
function absorb(left: Step, right: Step, decisive: boolean, failed: Absent): Step {
  return run => {
    let a = left(run)
    if (a === decisive) return decisive
    let b = right(run)
    if (b === decisive) return decisive
    if (typeof a === 'boolean' && typeof b === 'boolean') return !decisive
    if (typeof a !== 'boolean' && !(a instanceof Absent)) a = failed
    if (typeof b !== 'boolean' && !(b instanceof Absent)) b = failed
    if (a instanceof Absent) return b instanceof Absent ? heavier(a, b) : a
    return b
  }
}

function compileBinary(node: CelNode, compile: (child: CelNode) => Step, failed: Absent): Step {
  const [left, right] = (node.args as readonly CelNode[]).map(compile) as [Step, Step]
  const both = (combine: (run: Run, a: Cel, b: Cel) => Result): Step => {
    return run => {
      const a = left(run)
      const b = right(run)
      if (a instanceof Absent) return b instanceof Absent ? heavier(a, b) : a
      return b instanceof Absent ? b : combine(run, a, b)
    }
  }
  const order = (holds: (difference: number) => boolean): Step =>
    both((run, a, b) => {
      const difference = compare(run, a, b)
      return difference === undefined ? failed : holds(difference)
    })
  switch (node.op) {
    case '==':
      return both(equal)
    case '!=':
      return both((run, a, b) => !equal(run, a, b))
    case '<':
      return order(difference => difference < 0)
    case '<=':
      return order(difference => difference <= 0)
    case '>':
      return order(difference => difference > 0)
    case '>=':
      return order(difference => difference >= 0)
    case 'in':
      return both((run, a, b) => contains(run, a, b) ?? failed)
    default:
      return dispatch([left, right], operatorOverloads(node.op, 2), failed)
  }
}

function contains(run: Run, value: Cel, collection: Cel): boolean | undefined {
  if (Array.isArray(collection)) {
    return run.charge(collection.length >> 1) && (collection as readonly Cel[]).some(one => equal(run, value, one))
  }
  if (!(collection instanceof Map)) return undefined
  const key = keyOf(value)
  if (key !== undefined) return collection.has(key)
  // A fraction is just no key; what could never be one is a mistake.
  return typeof value === 'number' ? false : undefined
}

function compileCall(node: CelNode & { readonly op: 'call' | 'rcall' }, at: Compiling, failed: Absent): Step {
  const call = callOf(node)
  switch (call.kind) {
    case 'has':
      return compileHas(call.field, at, failed)
    case 'matches': {
      const text = compileNode(call.text, at)
      const test = at.patterns.get(call.pattern)
      return run => {
        const value = text(run)
        if (value instanceof Absent) return value
        return typeof value === 'string' ? (test?.(value, run) ?? failed) : failed
      }
    }
    case 'comprehension': {
      const slot = at.slots.count++
      const inner = { ...at, locals: new Map(at.locals).set(call.variable, slot) }
      return compileComprehension(
        call,
        slot,
        compileNode(call.range, at),
        call.body.map(one => compileNode(one, inner)),
        failed,
      )
    }
    default:
      return dispatch(
        call.args.map(one => compileNode(one, at)),
        call.overloads,
        failed,
      )
  }
}

function compileHas(field: CelNode, at: Compiling, failed: Absent): Step {
  if (field.op !== '.') return () => failed
  const operand = compileNode(field.args[0], at)
  const name = field.args[1]
  return run => {
    const value = operand(run)
    if (value instanceof Map) return value.has(name)
    return value instanceof Absent ? value : failed
  }
}
