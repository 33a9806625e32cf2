// Would a tool take the arguments of a test? What its schema surely refuses is never decided on, and so not tested.
import { type Node, parseTree } from 'jsonc-parser'
import type { Place } from '../analysis/places.ts'
import { allows, fieldOf, itemsOf, requiredOf, valuesOf } from '../analysis/schema.ts'
import { isNoStrings } from '../analysis/strings.ts'
import { constants, flagged, isFalse, isList, isMap, isNull, isTrue, type ValueSet } from '../analysis/values.ts'
import type { JsonSlice } from '../ast.ts'
import { nearest } from '../cel/nearest.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { JsonSchema } from '../lock/lock.ts'
import type { Span } from '../span.ts'
import { isOfKind, rangeOf } from './impossible-value.ts'
import { finding, listSome, meant } from './tell.ts'

type Slice = Pick<JsonSlice, 'text' | 'span'>

export function* checkArguments(place: Place, slice: Slice): Generator<Diagnostic> {
  const root = parseTree(slice.text)
  // With a schema of one word, nothing is known of any argument.
  if (root?.type === 'object' && typeof place.schema !== 'boolean') yield* new Arguments(place, slice).object(root, place.schema, [])
}

class Arguments {
  readonly #root: JsonSchema
  readonly #tool: string
  readonly #slice: Slice

  constructor({ schema, server, name }: Place, slice: Slice) {
    this.#root = schema
    this.#tool = `\`${server}/${name}\``
    this.#slice = slice
  }

  *object(node: Node, schema: JsonSchema, path: readonly string[]): Generator<Diagnostic> {
    const members = (node.children ?? []).map(({ children = [] }) => ({ key: children[0]!, value: children[1]! }))
    const given = new Set(members.map(({ key }) => String(key.value)))
    for (const name of requiredOf(schema, this.#root).filter(one => !given.has(one)))
      yield finding('test-bad-argument', this.#at(node), `${this.#tool} requires \`${[...path, name].join('.')}\``)
    for (const { key, value } of members) {
      const name = String(key.value)
      const field = fieldOf(schema, [name], this.#root)
      if (field.kind === 'declared') yield* this.#value(value, field.schema, [...path, name])
      else if (field.kind === 'undeclared') yield this.#unknown(key, [...path, name], field.names)
    }
  }

  *#value(node: Node, schema: JsonSchema, path: readonly string[]): Generator<Diagnostic> {
    const set = this.#setOf(node)
    if (!allows(schema, this.#root, set)) yield this.#bad(node, set, schema, path)
    else if (node.type === 'object') yield* this.object(node, schema, path)
    else if (node.type === 'array') {
      const items = itemsOf(schema, this.#root)
      for (const [at, item] of (node.children ?? []).entries())
        if (items !== undefined) yield* this.#value(item, items, [...path, String(at)])
    }
  }

  #setOf(node: Node): ValueSet {
    if (node.type === 'array') return flagged(isList)
    if (node.type === 'object') return flagged(isMap)
    const text = this.#textOf(node)
    if (node.type !== 'number') return constants([JSON.parse(text) as null | boolean | string])
    return constants([/^-?\d+$/.test(text) ? BigInt(text) : Number(text)])
  }

  #unknown(key: Node, path: readonly string[], names: readonly string[]): Diagnostic {
    const near = nearest(path.at(-1)!, names)
    const span = this.#at(key)
    return finding('test-unknown-name', span, `${this.#tool} has no argument \`${path.join('.')}\``, {
      ...(near === undefined
        ? { help: names.length === 0 ? 'it has none' : `it has ${listSome(names, 8)}` }
        : meant(span, near, JSON.stringify(near))),
    })
  }

  #bad(node: Node, set: ValueSet, schema: JsonSchema, path: readonly string[]): Diagnostic {
    const wanted = isOfKind(schema, this.#root, set) ? rangeOf({ schema, root: this.#root }) : kindsOf(schema, this.#root)
    const found = node.type === 'object' ? 'an object' : node.type === 'array' ? 'a list' : `\`${this.#textOf(node)}\``
    return finding('test-bad-argument', this.#at(node), `\`${path.join('.')}\` of ${this.#tool} takes ${wanted}, found ${found}`)
  }

  #textOf({ offset, length }: Node): string {
    return this.#slice.text.slice(offset, offset + length)
  }

  #at({ offset, length }: Node): Span {
    const { text, span } = this.#slice
    // Where no arguments are written, it is the target that is shown.
    return text === '{}' ? span : { file: span.file, start: span.start + offset, end: span.start + offset + length }
  }
}

function kindsOf(schema: JsonSchema, root: JsonSchema): string {
  const { set, whole } = valuesOf(schema, root)
  const kinds: readonly [boolean, string][] = [
    [!isNoStrings(set.strings), 'a string'],
    [set.numbers.length > 0, whole ? 'an integer' : 'a number'],
    [(set.flags & (isTrue | isFalse)) !== 0, 'a boolean'],
    [(set.flags & isList) !== 0, 'a list'],
    [(set.flags & isMap) !== 0, 'an object'],
    [(set.flags & isNull) !== 0, 'null'],
  ]
  return kinds.flatMap(([may, kind]) => (may ? [kind] : [])).join(' or ') || 'nothing'
}
