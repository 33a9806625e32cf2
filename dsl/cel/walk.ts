// Ways through a condition's tree, for everyone who asks what it reads.
import type { CelNode } from './node.ts'

export function childrenOf(node: CelNode): readonly CelNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return []
    case '.':
    case '.?':
      return [node.args[0]]
    case 'call':
      return node.args[1]
    case 'rcall':
      return [node.args[1], ...node.args[2]]
    case 'map':
      return node.args.flat()
    case '!_':
    case '-_':
      return [node.args]
    default:
      return node.args
  }
}

/** Parents before their children. */
export function* walk(node: CelNode): Generator<CelNode> {
  yield node
  for (const child of childrenOf(node)) yield* walk(child)
}

export type MacroName = 'all' | 'exists' | 'exists_one' | 'map' | 'filter'
const macros: ReadonlySet<string> = new Set<MacroName>(['all', 'exists', 'exists_one', 'map', 'filter'])

/** `range.NAME(variable, body...)`, and only that: its first argument is a name, not an expression. */
export interface Comprehension {
  readonly macro: MacroName
  readonly range: CelNode
  readonly variable: string
  /** One, or for `map` with three arguments two: the filter, then the transform. */
  readonly body: readonly CelNode[]
}
export function comprehensionOf(node: CelNode): Comprehension | undefined {
  if (node.op !== 'rcall') return undefined
  const [macro, range, [variable, ...body]] = node.args
  if (!macros.has(macro) || variable?.op !== 'id') return undefined
  if (body.length !== 1 && !(macro === 'map' && body.length === 2)) return undefined
  return { macro: macro as MacroName, range, variable: variable.args, body }
}

/** The field that a node reads: `args.a.b` and `args["a"]["b"]` are [`args`, `a`, `b`]; undefined for anything else. */
export function pathOf(node: CelNode): readonly string[] | undefined {
  if (node.op === 'id') return [node.args]
  if (node.op === '.') {
    const operand = pathOf(node.args[0])
    return operand && [...operand, node.args[1]]
  }
  if (node.op === '[]' && node.args[1].op === 'value' && typeof node.args[1].args === 'string') {
    const operand = pathOf(node.args[0])
    return operand && [...operand, node.args[1].args]
  }
  return undefined
}

/** The field that `has(...)` asks for; undefined for any other node. */
export function hasPathOf(node: CelNode): readonly string[] | undefined {
  return node.op === 'call' && node.args[0] === 'has' && node.args[1].length === 1 ? pathOf(node.args[1][0]!) : undefined
}
