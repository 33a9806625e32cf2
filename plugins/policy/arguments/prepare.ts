// A schema of a server, made fit to be compiled: a copy that leads nowhere else, of bounded size, in which every step is counted.
import { ExactNumber, type JsonObject, type JsonValue } from 'mcpgw/plugin'

/** Far more than any tool that people write. */
const maxSchemas = 1500
const maxPattern = 2000

const single =
  'additionalProperties additionalItems contains else if items not propertyNames then unevaluatedItems unevaluatedProperties contentSchema'
const listed = 'allOf anyOf oneOf prefixItems items'
const keyed = 'properties patternProperties $defs definitions dependentSchemas dependencies'
const singles = new Set(single.split(' '))
const lists = new Set(listed.split(' '))
const maps = new Set(keyed.split(' '))
// `$async` makes a promise of the answer; the others are extensions of the validator, or are prose.
const dropped = new Set(
  '$async nullable discriminator id format formatMaximum formatMinimum default example examples title description $comment'.split(' '),
)
const refs = ['$ref', '$dynamicRef', '$recursiveRef'] as const

/** Set in each subschema: what a visit of it costs, and what more for each item and each key of what it looks at. */
export const stepKeyword = 'mcpgw:step'

export type Schema = Record<string, unknown> | boolean
export type Prepared = { readonly schema: Schema; readonly multiples: boolean } | { readonly unusable: string }

export function prepareSchema(given: JsonValue): Prepared {
  if (typeof given === 'boolean') return { schema: given, multiples: false }
  const root = copyOf(given)
  if (!isNode(root)) return { unusable: 'it is neither an object nor a boolean' }
  delete root.$schema
  delete root.$id
  const seen = new Set<object>()
  const wanted: unknown[] = [root]
  const anchors = new Set<string>()
  const named = new Set<string>()
  let multiples = false
  let hasRef = false
  let hasId = false
  while (wanted.length > 0) {
    const node = wanted.pop()
    if (!isNode(node) || seen.has(node)) continue
    seen.add(node)
    if (seen.size > maxSchemas) return { unusable: `it has more than ${maxSchemas} subschemas` }
    for (const ref of refs) {
      const to = node[ref]
      if (to === undefined) continue
      hasRef = true
      if (typeof to !== 'string' || !to.startsWith('#')) return { unusable: `its \`${ref}\` leads elsewhere, and nothing is fetched` }
      if (to === '#') continue
      if (!to.startsWith('#/')) named.add(to.slice(1))
      else {
        const found = follow(root, to)
        if (found === undefined) return { unusable: `its \`${ref}\` leads nowhere` }
        wanted.push(found)
      }
    }
    for (const anchor of [node.$anchor, node.$dynamicAnchor]) if (typeof anchor === 'string') anchors.add(anchor)
    if (typeof node.$id === 'string') {
      if (node.$id.startsWith('#')) anchors.add(node.$id.slice(1))
      else hasId = true
    }
    if (tooLongPattern(node)) return { unusable: `it has a pattern of more than ${maxPattern} characters` }
    multiples ||= node.multipleOf !== undefined
    const cost = costOf(node)
    for (const key of Object.keys(node)) {
      const value = node[key]
      if (dropped.has(key) || key === stepKeyword) delete node[key]
      else if (lists.has(key) && Array.isArray(value)) wanted.push(...value)
      else if (singles.has(key)) wanted.push(value)
      else if (maps.has(key) && isNode(value)) wanted.push(...Object.values(value))
    }
    node[stepKeyword] = cost
  }
  // Within an `$id` of its own, `#` would mean something else.
  if (hasId && hasRef) return { unusable: 'it has an `$id` within, beside a `$ref`' }
  for (const name of named) if (!anchors.has(name)) return { unusable: 'its `$ref` names an anchor that it does not have' }
  return { schema: root, multiples }
}

/** Pays for the looks at its subschemas too: one whose type is another ends before it could pay. */
function costOf(node: Readonly<Record<string, unknown>>): readonly [number, number, number] {
  const size = (value: unknown): number => (Array.isArray(value) ? value.length : isNode(value) ? Object.keys(value).length : 0)
  const members = size(node.enum) + size(node.required) + size(node.properties) + size(node.patternProperties)
  const branches = [...lists, 'dependentSchemas', 'dependencies'].reduce((sum, key) => sum + size(node[key]), 0)
  const has = (...keys: readonly string[]): number => (keys.some(key => node[key] !== undefined) ? 1 : 0)
  const perKey = has('additionalProperties', 'unevaluatedProperties', 'propertyNames', 'minProperties', 'maxProperties')
  return [2 + branches + Math.floor(members / 8), has('contains', 'items', 'unevaluatedItems'), perKey]
}

function tooLongPattern({ pattern, patternProperties }: Readonly<Record<string, unknown>>): boolean {
  const all = [pattern, ...(isNode(patternProperties) ? Object.keys(patternProperties) : [])]
  return all.some(one => typeof one === 'string' && one.length > maxPattern)
}

function follow(root: unknown, ref: string): unknown {
  let at = root
  for (const step of ref.slice(2).split('/')) {
    const key = unescapePointer(step)
    if (key === undefined || typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined
    at = (at as Record<string, unknown>)[key]
  }
  return isNode(at) || typeof at === 'boolean' ? at : undefined
}

function unescapePointer(step: string): string | undefined {
  try {
    return decodeURIComponent(step).replace(/~1/g, '/').replace(/~0/g, '~')
  } catch {
    return undefined
  }
}

function copyOf(value: JsonValue): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof ExactNumber) return Number(value.text)
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(copyOf)
  const made = Object.create(null) as Record<string, unknown>
  for (const [key, inner] of Object.entries(value as JsonObject)) made[key] = copyOf(inner)
  return made
}

function isNode(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
