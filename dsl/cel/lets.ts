// Lets are inlined: where a condition uses one, its tree stands instead.
import type { CelSlice } from '../ast.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { CelNode } from './node.ts'
import { finding, maxNodes, parseSlice } from './parse.ts'
import { childrenOf, comprehensionOf, walk } from './walk.ts'

export interface Inlined {
  readonly ast: CelNode
  /** Slices of the nodes that a let brought. */
  readonly origins: ReadonlyMap<CelNode, CelSlice>
  readonly diagnostics: readonly Diagnostic[]
}

export function inlineLets(slice: CelSlice, lets: ReadonlyMap<string, CelSlice>): Inlined | Diagnostic {
  const parsed = parseSlice(slice)
  if ('code' in parsed) return parsed
  const origins = new Map<CelNode, CelSlice>()
  const diagnostics: Diagnostic[] = []
  let nodes = 0

  const bodyOf = (name: string): CelNode | undefined => {
    const cel = lets.get(name)
    if (cel === undefined) return undefined
    const body = parseSlice(cel)
    if ('code' in body) {
      diagnostics.push(body)
      return undefined
    }
    for (const node of walk(body)) {
      origins.set(node, cel)
      nodes++
    }
    return body
  }

  /** The tree with lets in their places; `locals` hide them. */
  const place = (node: CelNode, locals: ReadonlySet<string>): CelNode => {
    nodes++
    if (nodes > maxNodes) return node
    if (node.op === 'id') return locals.has(node.args) ? node : (bodyOf(node.args) ?? node)
    const comprehension = comprehensionOf(node)
    if (comprehension !== undefined && node.op === 'rcall') {
      const inner = new Set([...locals, comprehension.variable])
      const [name, range, [variable, ...body]] = node.args
      set(node, [name, place(range, locals), [variable!, ...body.map(one => place(one, inner))]])
      return node
    }
    replaceChildren(node, child => place(child, locals))
    return node
  }
  const ast = place(parsed, new Set())
  if (nodes > maxNodes) return finding('cel-budget', slice.span, `a condition of more than ${maxNodes} parts, lets inlined`)
  return { ast, origins, diagnostics }
}

/** The trees are ours alone until they are compiled, so that they may still be changed. */
function set(node: CelNode, args: unknown): void {
  ;(node as { args: unknown }).args = args
}

function replaceChildren(node: CelNode, replace: (child: CelNode) => CelNode): void {
  if (childrenOf(node).length === 0) return
  switch (node.op) {
    case '.':
    case '.?':
      return set(node, [replace(node.args[0]), node.args[1]])
    case 'call':
      return set(node, [node.args[0], node.args[1].map(replace)])
    case 'rcall':
      return set(node, [node.args[0], replace(node.args[1]), node.args[2].map(replace)])
    case 'map':
      return set(
        node,
        node.args.map(([key, value]) => [replace(key), replace(value)]),
      )
    case '!_':
    case '-_':
      return set(node, replace(node.args))
    default:
      return set(node, (node.args as readonly CelNode[]).map(replace))
  }
}
