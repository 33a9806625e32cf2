// Where a JSON Schema says what kind of number a field holds: `number` is a double even where an integer is written.
import type { JsonSchema } from '../lock/lock.ts'

export interface Numbers {
  readonly kind: 'integer' | 'number' | undefined
  property(name: string): Numbers | undefined
  item(at: number): Numbers | undefined
}

type Schema = Readonly<Record<string, unknown>>
const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value)

const known = new WeakMap<object, Numbers>()

export function numbersOf(schema: JsonSchema): Numbers | undefined {
  if (typeof schema === 'boolean') return undefined
  const made = known.get(schema) ?? follow([schema], schema)
  known.set(schema, made)
  return made
}

/** A place that several schemas speak of; what `number` one of them says counts. */
function follow(schemas: readonly Schema[], root: Schema): Numbers {
  const all = schemas.flatMap(one => expand(one, root, 0))
  const properties = new Map<string, Numbers | undefined>()
  const items = new Map<number, Numbers | undefined>()
  const below = (found: readonly unknown[]): Numbers | undefined => {
    const next = found.filter(isSchema)
    return next.length === 0 ? undefined : follow(next, root)
  }
  return {
    kind: kindOf(all),
    property(name) {
      if (properties.has(name)) return properties.get(name)
      const found = below(all.map(one => propertyOf(one, name)))
      // Names come from outside: only those that schemas know are remembered.
      if (all.some(one => isSchema(one.properties) && Object.hasOwn(one.properties, name))) properties.set(name, found)
      return found
    },
    item(at) {
      const prefix = Math.min(at, Math.max(0, ...all.map(one => (Array.isArray(one.prefixItems) ? one.prefixItems.length : 0))))
      if (!items.has(prefix)) items.set(prefix, below(all.map(one => itemOf(one, prefix))))
      return items.get(prefix)
    },
  }
}

function kindOf(all: readonly Schema[]): Numbers['kind'] {
  const types = new Set(all.flatMap(one => (Array.isArray(one.type) ? one.type : [one.type])))
  if (types.has('integer')) return 'integer'
  return types.has('number') ? 'number' : undefined
}

function propertyOf(schema: Schema, name: string): unknown {
  const properties = schema.properties
  if (isSchema(properties) && Object.hasOwn(properties, name)) return properties[name]
  return schema.additionalProperties
}

function itemOf(schema: Schema, at: number): unknown {
  const prefix: unknown = schema.prefixItems
  return Array.isArray(prefix) && at < prefix.length ? prefix[at] : schema.items
}

/** With what it refers to and is composed of. */
function expand(schema: Schema, root: Schema, depth: number): readonly Schema[] {
  if (depth > 16) return [schema]
  const parts: unknown[] = []
  for (const key of ['allOf', 'anyOf', 'oneOf']) if (Array.isArray(schema[key])) parts.push(...(schema[key] as unknown[]))
  const target = typeof schema.$ref === 'string' ? resolve(schema.$ref, root) : undefined
  if (target !== undefined) parts.push(target)
  return [schema, ...parts.filter(isSchema).flatMap(one => expand(one, root, depth + 1))]
}

/** Local references only: `#/$defs/x`. */
export function resolve(reference: string, root: Schema): unknown {
  if (reference === '#') return root
  if (!reference.startsWith('#/')) return undefined
  let at: unknown = root
  for (const part of reference.slice(2).split('/')) {
    const key = decodePointer(part)
    if (Array.isArray(at)) at = at[Number(key)]
    else at = isSchema(at) && Object.hasOwn(at, key) ? at[key] : undefined
  }
  return at
}

function decodePointer(part: string): string {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
  } catch {
    return part
  }
}
