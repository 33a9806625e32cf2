// What a tool's inputSchema says of a field: at most these values. Keywords that are not looked into only widen it.
import type { JsonSchema } from '../lock/lock.ts'
import { above, allNumbers, below, intersectionOf } from './intervals.ts'
import type { Background } from './solve.ts'
import { allStrings, stringsOfLength } from './strings.ts'
import {
  absent,
  type Constant,
  constants,
  domainOf,
  everything,
  flagged,
  isEmpty,
  isFalse,
  isList,
  isMap,
  isNull,
  isTrue,
  narrow,
  nothing,
  numbersIn,
  present,
  stringsIn,
  unionAtLeast,
  type ValueSet,
} from './values.ts'

type Keywords = Readonly<Record<string, unknown>>

export type Field =
  /** Some part of the schema names it. */
  | { readonly kind: 'declared'; readonly schema: JsonSchema; readonly required: boolean }
  /** The schema lists its fields, and this is none of them. */
  | { readonly kind: 'undeclared'; readonly closed: boolean; readonly names: readonly string[] }
  /** Nothing is known. */
  | { readonly kind: 'open' }

const isKeywords = (value: unknown): value is Keywords => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The schema itself with those that it must also meet; `$ref` only within the document. */
function partsOf(schema: JsonSchema, root: JsonSchema, depth = 0): readonly Keywords[] {
  if (!isKeywords(schema) || depth > 8) return []
  const parts: Keywords[] = [schema]
  const target = typeof schema.$ref === 'string' ? resolve(schema.$ref, root) : undefined
  if (target !== undefined) parts.push(...partsOf(target, root, depth + 1))
  if (Array.isArray(schema.allOf)) for (const part of schema.allOf) parts.push(...partsOf(part as JsonSchema, root, depth + 1))
  return parts
}
function resolve(ref: string, root: JsonSchema): JsonSchema | undefined {
  if (!ref.startsWith('#')) return undefined
  let at: unknown = root
  for (const step of ref.slice(1).split('/').slice(1)) {
    const name = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
    if (Array.isArray(at)) at = at[Number(name)]
    else if (isKeywords(at) && Object.hasOwn(at, name)) at = at[name]
    else return undefined
  }
  return isKeywords(at) || typeof at === 'boolean' ? at : undefined
}

const branches = ['anyOf', 'oneOf'] as const

/** `path` without `args`. */
export function fieldOf(schema: JsonSchema, path: readonly string[], root: JsonSchema = schema): Field {
  const [name, ...rest] = path as [string, ...string[]]
  const parts = partsOf(schema, root)
  const found: JsonSchema[] = []
  const names: string[] = []
  let required = false
  let open = parts.length === 0
  let closed = false
  for (const part of parts) {
    const properties = isKeywords(part.properties) ? part.properties : {}
    names.push(...Object.keys(properties))
    if (Object.hasOwn(properties, name)) found.push(properties[name] as JsonSchema)
    if (Array.isArray(part.required) && part.required.includes(name)) required = true
    if (part.additionalProperties === false) closed = true
    else if (part.additionalProperties !== undefined) open = true
    if (
      ['patternProperties', 'if', 'dependentSchemas', 'unevaluatedProperties', 'propertyNames', ...branches].some(
        word => part[word] !== undefined,
      )
    )
      open = true
    if (typeof part.$ref === 'string' && resolve(part.$ref, root) === undefined) open = true
  }
  if (found.length === 0) {
    if (open || (names.length === 0 && !closed)) return { kind: 'open' }
    return { kind: 'undeclared', closed, names }
  }
  const own: JsonSchema = found.length === 1 ? (found[0] as JsonSchema) : { allOf: found }
  if (rest.length === 0) return { kind: 'declared', schema: own, required }
  const inner = fieldOf(own, rest, root)
  return inner.kind === 'declared' ? { ...inner, required: inner.required && required } : inner
}

/** Names that an object of this schema must have. */
export function requiredOf(schema: JsonSchema, root: JsonSchema): readonly string[] {
  const names = partsOf(schema, root).flatMap(({ required }) => (Array.isArray(required) ? (required as unknown[]) : []))
  return [...new Set(names.filter(name => typeof name === 'string'))]
}

/** The schema of a list's items. */
export function itemsOf(schema: JsonSchema, root: JsonSchema): JsonSchema | undefined {
  const items = partsOf(schema, root).find(part => isKeywords(part.items))
  return items && (items.items as JsonSchema)
}
export function maxItemsOf(schema: JsonSchema, root: JsonSchema): number {
  const bounds = partsOf(schema, root).map(part => part.maxItems)
  return Math.min(...bounds.map(bound => (typeof bound === 'number' ? bound : Number.POSITIVE_INFINITY)), Number.POSITIVE_INFINITY)
}

export interface Values {
  readonly set: ValueSet
  readonly whole: boolean
}
const unknown: Values = { set: present, whole: false }

export function valuesOf(schema: JsonSchema, root: JsonSchema, depth = 0): Values {
  if (schema === false) return { set: nothing, whole: false }
  if (!isKeywords(schema) || depth > 8) return unknown
  let set = ofKeywords(schema)
  let whole = schema.type === 'integer'
  const also: Values[] = []
  for (const part of partsOf(schema, root).slice(1)) also.push(valuesOf({ ...part, allOf: undefined, $ref: undefined }, root, depth + 1))
  for (const word of branches) {
    const list = schema[word]
    if (!Array.isArray(list) || list.length === 0) continue
    const each = list.map(part => valuesOf(part as JsonSchema, root, depth + 1))
    also.push({ set: each.map(one => one.set).reduce(unionAtLeast), whole: each.every(one => one.whole) })
  }
  for (const one of also) {
    whole ||= one.whole
    set = both(set, one.set)
  }
  return { set, whole }
}

/** At least the intersection. */
function both(a: ValueSet, b: ValueSet): ValueSet {
  const domain = narrow(domainOf(a, false), b)
  const finite = domain.strings.find(test => !test.negated && test.basis.kind === 'in')
  return { ...domain, strings: finite ?? domain.strings[0] ?? allStrings }
}

function ofKeywords(schema: Keywords): ValueSet {
  if (schema.const !== undefined) return ofConstants([schema.const])
  let set = ofType(schema.type)
  if (Array.isArray(schema.enum)) set = both(ofConstants(schema.enum), set)
  let numbers = allNumbers
  if (typeof schema.minimum === 'number') numbers = intersectionOf(numbers, above(schema.minimum, false))
  if (typeof schema.maximum === 'number') numbers = intersectionOf(numbers, below(schema.maximum, false))
  if (typeof schema.exclusiveMinimum === 'number') numbers = intersectionOf(numbers, above(schema.exclusiveMinimum, true))
  if (typeof schema.exclusiveMaximum === 'number') numbers = intersectionOf(numbers, below(schema.exclusiveMaximum, true))
  set = { ...set, numbers: intersectionOf(set.numbers, numbers) }
  const { minLength, maxLength } = schema as { minLength?: unknown; maxLength?: unknown }
  if (typeof minLength !== 'number' && typeof maxLength !== 'number') return set
  const length = stringsOfLength(
    typeof minLength === 'number' ? minLength : 0,
    typeof maxLength === 'number' ? maxLength : Number.POSITIVE_INFINITY,
  )
  return both({ ...everything, strings: length }, set)
}

function ofConstants(values: readonly unknown[]): ValueSet {
  const simple = values.filter((value): value is Constant => value === null || ['string', 'number', 'boolean'].includes(typeof value))
  const set = constants(simple)
  return { ...set, flags: set.flags | (values.some(Array.isArray) ? isList : 0) | (values.some(isKeywords) ? isMap : 0) }
}

const types: Readonly<Record<string, ValueSet>> = {
  null: flagged(isNull),
  boolean: flagged(isTrue | isFalse),
  array: flagged(isList),
  object: flagged(isMap),
  string: stringsIn(allStrings),
  number: numbersIn(allNumbers),
  integer: numbersIn(allNumbers),
}
function ofType(type: unknown): ValueSet {
  const names = Array.isArray(type) ? type : [type]
  const sets = names.map(name => (typeof name === 'string' ? types[name] : undefined))
  return sets.length > 0 && sets.every(set => set !== undefined) ? sets.reduce(unionAtLeast) : present
}

const backgrounds = new WeakMap<object, Background>()

/** What the schema says of the fields of `args`. */
export function backgroundOf(schema: JsonSchema): Background {
  if (typeof schema === 'boolean') return () => undefined
  let background = backgrounds.get(schema)
  if (!background) {
    const known = new Map<string, ReturnType<Background>>()
    background = term => {
      if (term.path?.[0] !== 'args' || term.path.length < 2) return undefined
      if (!known.has(term.key)) known.set(term.key, ofField(schema, term.path.slice(1)))
      return known.get(term.key)
    }
    backgrounds.set(schema, background)
  }
  return background
}
function ofField(schema: JsonSchema, path: readonly string[]): ReturnType<Background> {
  const field = fieldOf(schema, path)
  if (field.kind === 'open') return undefined
  if (field.kind === 'undeclared') return field.closed ? { set: flagged(absent), whole: false } : undefined
  const { set, whole } = valuesOf(field.schema, schema)
  return { set: field.required ? set : { ...set, flags: set.flags | absent }, whole }
}

export function allows(schema: JsonSchema, root: JsonSchema, set: ValueSet): boolean {
  const values = valuesOf(schema, root)
  return !isEmpty(narrow(domainOf(values.set, values.whole), set))
}
