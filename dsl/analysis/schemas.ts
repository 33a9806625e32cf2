// The different schemas that a rule's arguments may have: each is asked once, however many tools share it.
import type { ResolvedRule } from '../bundle/bundle.ts'
import type { CelNode } from '../cel/node.ts'
import { pathOf, walk } from '../cel/walk.ts'
import type { JsonSchema, Lock } from '../lock/lock.ts'
import { type Place, placesOf } from './places.ts'

const texts = new WeakMap<object, string>()
const parts = new WeakMap<object, Map<string, string>>()

const asked = new WeakMap<readonly Place[], Map<string, readonly Place[]>>()

/** One place for each schema that differs in what `nodes` read of `args`; undefined where no lock tells. */
export function placesBySchema(rule: ResolvedRule, lock: Lock | undefined, nodes: readonly CelNode[]): readonly Place[] | undefined {
  const places = placesOf(rule, lock)
  if (!places) return undefined
  const fields = fieldsOf(nodes)
  const known = asked.get(places) ?? new Map<string, readonly Place[]>()
  asked.set(places, known)
  const question = fields.join('\n')
  let answer = known.get(question)
  if (!answer) {
    const first = new Map<string, Place>()
    for (const place of places) {
      const key = signature(place.schema, fields, question)
      if (!first.has(key)) first.set(key, place)
    }
    answer = [...first.values()]
    known.set(question, answer)
  }
  return answer
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

const signatures = new WeakMap<object, Map<string, string>>()

/** What is the same for two schemas is the same for all that is read of them. */
function signature(schema: JsonSchema, fields: readonly string[], question: string): string {
  if (typeof schema === 'boolean') return String(schema)
  const known = signatures.get(schema) ?? new Map<string, string>()
  signatures.set(schema, known)
  let text = known.get(question)
  if (text === undefined) {
    text = sign(schema, fields)
    known.set(question, text)
  }
  return text
}

const saysNothingOfFields: ReadonlySet<string> = new Set([
  'properties',
  'required',
  'title',
  'description',
  '$schema',
  'type',
  '$id',
  'additionalProperties',
])

function sign(schema: object, fields: readonly string[]): string {
  const { properties, required, additionalProperties } = schema as Readonly<Record<string, unknown>>
  // References and branches lead anywhere.
  if (Object.keys(schema).some(word => !saysNothingOfFields.has(word))) return textOf(schema)
  const list: readonly unknown[] = Array.isArray(required) ? required : []
  const known = typeof properties === 'object' && properties !== null ? (properties as Readonly<Record<string, unknown>>) : {}
  const own = fields.map(name => (Object.hasOwn(known, name) ? `${name}${list.includes(name)}${partOf(schema, name, known[name])}` : name))
  return `${own.join('\n')}|${JSON.stringify(additionalProperties)}|${Object.keys(known).length === 0}`
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
