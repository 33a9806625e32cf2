// The different schemas that a rule's arguments may have: each is asked once, however many tools share it.
import type { ResolvedRule } from '../bundle/bundle.ts'
import type { CelNode } from '../cel/node.ts'
import { pathOf, walk } from '../cel/walk.ts'
import type { JsonSchema, Lock } from '../lock/lock.ts'
import { type Place, placesOf } from './places.ts'

const texts = new WeakMap<object, string>()
const parts = new WeakMap<object, Map<string, string>>()

/** One place for each schema that differs in what `node` reads of `args`; undefined where no lock tells. */
export function placesBySchema(rule: ResolvedRule, lock: Lock | undefined, nodes: readonly CelNode[]): readonly Place[] | undefined {
  const places = placesOf(rule, lock)
  if (!places) return undefined
  const fields = fieldsOf(nodes)
  const first = new Map<string, Place>()
  for (const place of places) {
    const key = signature(place.schema, fields)
    if (!first.has(key)) first.set(key, place)
  }
  return [...first.values()]
}

const fieldsRead = new WeakMap<CelNode, readonly string[]>()
function fieldsOf(nodes: readonly CelNode[]): readonly string[] {
  const names = nodes.flatMap(node => {
    let read = fieldsRead.get(node)
    if (!read) {
      read = [...walk(node)]
        .map(part => pathOf(part))
        .filter(path => path?.[0] === 'args' && path.length > 1)
        .map(path => (path as readonly string[])[1] as string)
      fieldsRead.set(node, read)
    }
    return read
  })
  return [...new Set(names)].sort()
}

/** What is the same for two schemas is the same for all that is read of them. */
function signature(schema: JsonSchema, fields: readonly string[]): string {
  if (typeof schema === 'boolean') return String(schema)
  const {
    properties,
    required,
    $defs,
    definitions,
    title: _title,
    description: _description,
    $schema: _schema,
    type: _type,
    $id: _id,
    ...rest
  } = schema
  // References and branches lead anywhere.
  if (Object.keys(rest).some(word => word !== 'additionalProperties') || $defs !== undefined || definitions !== undefined)
    return textOf(schema)
  const list = Array.isArray(required) ? required : []
  const known = typeof properties === 'object' && properties !== null ? (properties as Readonly<Record<string, unknown>>) : {}
  const own = fields.map(name => (Object.hasOwn(known, name) ? `${name}${list.includes(name)}${partOf(schema, name, known[name])}` : name))
  return `${own.join('\n')}|${JSON.stringify(rest)}|${Object.keys(known).length === 0}`
}
function textOf(schema: object): string {
  let text = texts.get(schema)
  if (text === undefined) {
    text = JSON.stringify(schema)
    texts.set(schema, text)
  }
  return text
}
function partOf(schema: object, name: string, part: unknown): string {
  const known = parts.get(schema) ?? new Map<string, string>()
  parts.set(schema, known)
  let text = known.get(name)
  if (text === undefined) {
    text = JSON.stringify(part)
    known.set(name, text)
  }
  return text
}
