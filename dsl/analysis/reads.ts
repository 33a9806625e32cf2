// Optional arguments that a condition reads where nothing says that they are there.
import type { CelNode } from '../cel/node.ts'
import { childrenOf, comprehensionOf, hasPathOf, pathOf } from '../cel/walk.ts'
import type { JsonSchema } from '../lock/lock.ts'
import { type Field, fieldOf, itemsOf } from './schema.ts'
import { constantOf } from './terms.ts'

export interface UnguardedRead {
  readonly node: CelNode
  readonly path: readonly string[]
  /** Inside a comprehension, of one of its items. */
  readonly ofItem: boolean
}

interface Around {
  readonly root: JsonSchema
  /** Paths, joined, that are there. */
  readonly sure: ReadonlySet<string>
  /** `args`, and variables of comprehensions, with what their fields are. */
  readonly schemas: ReadonlyMap<string, JsonSchema | undefined>
}

/** `sure`: paths that an earlier condition of the rule asked for. */
export function unguardedReads(node: CelNode, schema: JsonSchema, sure: ReadonlySet<string>): readonly UnguardedRead[] {
  const found: UnguardedRead[] = []
  visit(node, { root: schema, sure, schemas: new Map([['args', schema]]) }, found)
  return found
}

function visit(node: CelNode, around: Around, found: UnguardedRead[]): void {
  if (node.op === '&&' || node.op === '||') {
    // Either side may guard the other: `false && ERROR` is false in any order.
    const [a, b] = node.args
    const facts = node.op === '&&' ? sureIfTrue : sureIfFalse
    visit(a, withSure(around, facts(b)), found)
    visit(b, withSure(around, facts(a)), found)
    return
  }
  if (node.op === '?:') {
    const [test, then, other] = node.args
    visit(test, around, found)
    visit(then, withSure(around, sureIfTrue(test)), found)
    visit(other, withSure(around, sureIfFalse(test)), found)
    return
  }
  const asked = hasPathOf(node)
  if (asked) {
    readOf(asked.slice(0, -1), node, around, found)
    return
  }
  const path = pathOf(node)
  if (path) {
    readOf(path, node, around, found)
    return
  }
  const comprehension = comprehensionOf(node)
  if (!comprehension) {
    for (const child of childrenOf(node)) visit(child, around, found)
    return
  }
  visit(comprehension.range, around, found)
  const schemas = new Map(around.schemas)
  schemas.set(comprehension.variable, itemsAt(comprehension.range, around))
  const prefix = `${comprehension.variable}.`
  const inside = { ...around, schemas, sure: new Set([...around.sure].filter(key => !key.startsWith(prefix))) }
  for (const [i, part] of comprehension.body.entries()) {
    const before = i > 0 ? sureIfTrue(comprehension.body[0] as CelNode) : []
    visit(part, withSure(inside, before), found)
  }
}

function readOf(path: readonly string[], node: CelNode, { root, sure, schemas }: Around, found: UnguardedRead[]): void {
  const [name, ...fields] = path as [string, ...string[]]
  const schema = schemas.get(name)
  if (schema === undefined) return
  for (let length = 1; length <= fields.length; length++) {
    const part = path.slice(0, length + 1)
    if (sure.has(part.join('.'))) continue
    const field: Field = fieldOf(schema, fields.slice(0, length), root)
    if (field.kind === 'open' || (field.kind === 'declared' && field.required)) continue
    found.push({ node, path: part, ofItem: name !== 'args' })
    return
  }
}

function itemsAt(range: CelNode, { root, schemas }: Around): JsonSchema | undefined {
  const inner = comprehensionOf(range)
  if (inner?.macro === 'filter') return itemsAt(inner.range, { root, schemas, sure: new Set() })
  const path = pathOf(range)
  const schema = path && schemas.get(path[0] as string)
  if (schema === undefined || !path) return undefined
  if (path.length === 1) return itemsOf(schema, root)
  const field = fieldOf(schema, path.slice(1), root)
  return field.kind === 'declared' ? itemsOf(field.schema, root) : undefined
}

function withSure(around: Around, paths: readonly string[]): Around {
  return paths.length === 0 ? around : { ...around, sure: new Set([...around.sure, ...paths]) }
}

/** Paths that are there where the node is true. */
export function sureIfTrue(node: CelNode): readonly string[] {
  const asked = hasPathOf(node)
  if (asked) return asked.slice(1).map((_, i) => asked.slice(0, i + 2).join('.'))
  if (node.op === '!_') return sureIfFalse(node.args)
  const key = node.op === 'in' ? constantOf(node.args[0]) : undefined
  const map = node.op === 'in' ? pathOf(node.args[1]) : undefined
  if (typeof key === 'string' && map) return [[...map, key].join('.')]
  if (node.op === '&&') return [...sureIfTrue(node.args[0]), ...sureIfTrue(node.args[1])]
  if (node.op === '||') return inBoth(sureIfTrue(node.args[0]), sureIfTrue(node.args[1]))
  return []
}
export function sureIfFalse(node: CelNode): readonly string[] {
  if (node.op === '!_') return sureIfTrue(node.args)
  if (node.op === '||') return [...sureIfFalse(node.args[0]), ...sureIfFalse(node.args[1])]
  if (node.op === '&&') return inBoth(sureIfFalse(node.args[0]), sureIfFalse(node.args[1]))
  return []
}
const inBoth = (a: readonly string[], b: readonly string[]): readonly string[] => a.filter(path => b.includes(path))
