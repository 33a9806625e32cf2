// From a JSON Schema to the type that the checker reasons with; where the schema says nothing, anything is possible.
import type { JsonSchema } from '../lock/lock.ts'
import { type CelType, dyn, type Field, join, list, map, members, type ObjectType, string } from './cel-type.ts'
import { resolve } from './number-schema.ts'

type Schema = Readonly<Record<string, unknown>>
const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value)

const known = new WeakMap<object, CelType>()

export function typeOfSchema(schema: JsonSchema): CelType {
  if (typeof schema === 'boolean') return dyn
  const made = known.get(schema) ?? typeOf(schema, schema, 0)
  known.set(schema, made)
  return made
}

const deepest = 12

function typeOf(schema: unknown, root: Schema, depth: number): CelType {
  if (!isSchema(schema) || depth > deepest) return dyn
  const below = (one: unknown): CelType => typeOf(one, root, depth + 1)
  const claims: CelType[] = [ownType(schema, below)]
  if (typeof schema.$ref === 'string') claims.push(below(resolve(schema.$ref, root)))
  if (Array.isArray(schema.allOf)) claims.push(...schema.allOf.map(below))
  for (const key of ['anyOf', 'oneOf'] as const) {
    const some = schema[key]
    if (Array.isArray(some)) claims.push(join(some.map(below)))
  }
  return claims.reduce(both)
}

/** What holds where both hold. Objects know the fields of both; of two other types the first is kept. */
function both(a: CelType, b: CelType): CelType {
  if (a.kind === 'dyn') return b
  if (a.kind === 'object' && b.kind === 'object') return merged(a, b)
  return a.kind === 'map' && b.kind === 'object' ? b : a
}

function merged(a: ObjectType, b: ObjectType): ObjectType {
  const fields = new Map(a.fields)
  for (const [name, field] of b.fields) {
    const mine = fields.get(name)
    fields.set(name, mine === undefined ? field : { type: both(mine.type, field.type), optional: mine.optional && field.optional })
  }
  return { kind: 'object', fields, ...(a.rest !== undefined && b.rest !== undefined && { rest: dyn }) }
}

function ownType(schema: Schema, below: (one: unknown) => CelType): CelType {
  if (schema.const !== undefined) return typeOfJson(schema.const)
  if (Array.isArray(schema.enum)) return join(schema.enum.map(typeOfJson))
  const types: readonly unknown[] = Array.isArray(schema.type) ? schema.type : [schema.type ?? impliedType(schema)]
  return join(types.map(type => typeOfName(type, schema, below)))
}

const impliedType = (schema: Schema): string | undefined => (isSchema(schema.properties) ? 'object' : undefined)

function typeOfName(type: unknown, schema: Schema, below: (one: unknown) => CelType): CelType {
  switch (type) {
    case 'string':
      return string
    case 'integer':
      return { kind: 'int' }
    case 'number':
      return { kind: 'double' }
    case 'boolean':
      return { kind: 'bool' }
    case 'null':
      return { kind: 'null' }
    case 'array':
      return list(elementType(schema, below))
    case 'object':
      return objectType(schema, below)
    default:
      return dyn
  }
}

function elementType(schema: Schema, below: (one: unknown) => CelType): CelType {
  const prefix: readonly unknown[] = Array.isArray(schema.prefixItems) ? schema.prefixItems : []
  return join([...prefix, ...(schema.items === false ? [] : [schema.items])].map(below))
}

/** Properties that are not listed are taken for mistakes unless the schema speaks of them. */
function objectType(schema: Schema, below: (one: unknown) => CelType): CelType {
  const { properties, additionalProperties: more, patternProperties } = schema
  const open = more === true || isSchema(more) || patternProperties !== undefined
  const rest = isSchema(more) && patternProperties === undefined ? below(more) : dyn
  if (!isSchema(properties) || Object.keys(properties).length === 0) {
    return more === false && patternProperties === undefined ? { kind: 'object', fields: new Map() } : map(string, rest)
  }
  const required = new Set<unknown>(Array.isArray(schema.required) ? schema.required : [])
  const fields = new Map<string, Field>(
    Object.entries(properties).map(([name, one]) => [name, { type: below(one), optional: !required.has(name) }]),
  )
  return { kind: 'object', fields, ...(open && { rest }) }
}

function typeOfJson(value: unknown): CelType {
  if (value === null) return { kind: 'null' }
  switch (typeof value) {
    case 'string':
      return string
    case 'boolean':
      return { kind: 'bool' }
    case 'number':
      return Number.isInteger(value) ? { kind: 'union', of: [{ kind: 'int' }, { kind: 'double' }] } : { kind: 'double' }
    default:
      return dyn
  }
}

/** Whether anything may stand here. */
export const isOpen = (type: CelType): boolean => members(type).some(one => one.kind === 'dyn')
