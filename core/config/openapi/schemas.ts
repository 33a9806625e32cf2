// Schemas of an OpenAPI document as JSON Schema 2020-12: a copy with all that it refers to, of bounded size.
import type { JsonObject, JsonValue } from '../../plugin/index.ts'
import { type Tree, type TreeEntry, toValue } from '../tree.ts'
import { isTrue, type OpenApiDocument, textOf } from './document.ts'

/** What a policy still checks arguments by. */
const MAX_SCHEMAS = 1500
const MAX_DEPTH = 32

const keyed = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'])
const listed = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems'])
const single = new Set(
  'items additionalItems additionalProperties not if then else contains propertyNames unevaluatedProperties unevaluatedItems contentSchema'.split(
    ' ',
  ),
)
// What is no JSON Schema, what would move the place that references start from, and prose for people who write programs.
const dropped = new Set('nullable discriminator xml externalDocs example examples $id $schema $anchor $dynamicAnchor $comment'.split(' '))

export interface SchemaCopier {
  copy(tree: Tree): JsonValue
  /** The schema itself in the place of a `$ref` to it. */
  copyInPlace(tree: Tree): JsonValue
  /** For `$defs`; undefined where nothing was referred to. */
  definitions(): JsonObject | undefined
  /** Why it cannot be used, and where. */
  readonly problem: { readonly at: Tree; readonly why: string } | undefined
}

/** `hidden`: members that are marked so are not there: what only answers have, or only requests. */
export function createSchemaCopier(document: OpenApiDocument, hidden: 'readOnly' | 'writeOnly'): SchemaCopier {
  const names = new Map<Tree, string>()
  const made = new Map<string, JsonValue>()
  const taken = new Set<string>()
  let count = 0
  let problem: SchemaCopier['problem']

  function fail(at: Tree, why: string): JsonObject {
    problem ??= { at, why }
    return {}
  }

  function nameFor(ref: string, target: Tree): string {
    const known = names.get(target)
    if (known !== undefined) return known
    const plain = (ref.split('/').at(-1) ?? '').replace(/[^A-Za-z0-9_.-]/g, '_') || 'schema'
    let name = plain
    for (let n = 2; taken.has(name); n++) name = `${plain}_${n}`
    taken.add(name)
    names.set(target, name)
    made.set(name, copy(target, 0))
    return name
  }

  function copy(tree: Tree, depth: number): JsonValue {
    if (problem !== undefined) return {}
    if (tree.kind === 'scalar' && typeof tree.value === 'boolean') return tree.value
    if (tree.kind !== 'map') return fail(tree, 'expected a schema')
    if (++count > MAX_SCHEMAS) return fail(tree, `more than ${MAX_SCHEMAS} schemas belong to this operation`)
    if (depth > MAX_DEPTH) return fail(tree, `a schema nested deeper than ${MAX_DEPTH}`)
    const ref = textOf(tree, '$ref')
    const target = ref === undefined ? undefined : document.follow(ref)
    if (ref !== undefined && target === undefined) {
      const why = ref.startsWith('#/') ? 'this reference leads nowhere' : 'this reference leads out of the document, and nothing is fetched'
      return fail(tree, why)
    }
    const referred = ref === undefined || target === undefined ? {} : { $ref: `#/$defs/${nameFor(ref, target)}` }
    if (document.isOld && ref !== undefined) return referred
    return {
      ...referred,
      ...membersOf(
        tree.entries.filter(({ key }) => key !== '$ref'),
        tree,
        depth,
      ),
    }
  }

  function membersOf(entries: readonly TreeEntry[], tree: Tree, depth: number): JsonObject {
    const out: Record<string, JsonValue> = {}
    const absent = new Set<string>()
    for (const { key, value } of entries) {
      if (dropped.has(key) || key.startsWith('x-')) continue
      if (key === '$dynamicRef' || key === '$recursiveRef') return fail(value, `${key} is not understood`)
      if (keyed.has(key) && value.kind === 'map') {
        const inner: Record<string, JsonValue> = {}
        for (const one of value.entries)
          if (key === 'properties' && isTrue(one.value, hidden)) absent.add(one.key)
          else inner[one.key] = copy(one.value, depth + 1)
        out[key] = inner
      } else if (listed.has(key) && value.kind === 'list') out[key] = value.items.map(item => copy(item, depth + 1))
      else if (single.has(key) && value.kind !== 'list') out[key] = copy(value, depth + 1)
      else out[key] = toValue(value) as JsonValue
    }
    if (absent.size > 0 && Array.isArray(out.required)) out.required = out.required.filter(name => !absent.has(String(name)))
    return document.isOld ? modernised(out, isTrue(tree, 'nullable')) : out
  }

  return {
    copy: tree => copy(tree, 0),
    copyInPlace(tree) {
      const target = document.resolve(tree)
      return target === undefined ? fail(tree, 'this reference leads nowhere') : copy(target, 0)
    },
    definitions: () => (made.size === 0 ? undefined : Object.fromEntries(made)),
    get problem() {
      return problem
    },
  }
}

/** Spec: OpenAPI 3.0.3, "Schema Object": null and exclusive bounds are said in words of its own. */
function modernised(schema: Record<string, JsonValue>, nullable: boolean): JsonObject {
  const out = { ...schema }
  for (const [exclusive, bound] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    if (typeof out[exclusive] !== 'boolean') continue
    const limit = out[bound]
    const isExclusive = out[exclusive]
    delete out[exclusive]
    if (!isExclusive || limit === undefined) continue
    delete out[bound]
    out[exclusive] = limit
  }
  if (nullable && typeof out.type === 'string') {
    out.type = [out.type, 'null']
    if (Array.isArray(out.enum) && !out.enum.includes(null)) out.enum = [...out.enum, null]
  }
  return out
}
