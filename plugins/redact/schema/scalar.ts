// Whether a text, number or truth value fits a JSON Schema: the keywords that can say no to one.
import { RE2JS } from 're2js'
import { hasFormat } from './formats.ts'
import { isSchemaObject, resolve, type Schema, type SchemaObject } from './reference.ts'

export type Scalar = string | number | boolean | null

// Far deeper than any schema goes down for one value.
const deepest = 32

/** What this version does not know is taken for met; a pattern that is not RE2 is met by nothing. */
export function fits(schema: Schema | undefined, value: Scalar, root: Schema, depth = 0): boolean {
  if (!isSchemaObject(schema)) return schema !== false
  if (depth > deepest) return false
  const meets = (one: unknown): boolean => fits(one as Schema, value, root, depth + 1)
  if (typeof schema.$ref === 'string' && !meets(resolve(root, schema.$ref) ?? true)) return false
  if (schema.type !== undefined && !listOf(schema.type).some(type => isOfType(value, type))) return false
  if (Array.isArray(schema.enum) && !schema.enum.some(one => equals(one, value))) return false
  if ('const' in schema && !equals(schema.const, value)) return false
  if (typeof value === 'string' && !fitsText(schema, value)) return false
  if (typeof value === 'number' && !fitsNumber(schema, value)) return false
  if (Array.isArray(schema.allOf) && !schema.allOf.every(meets)) return false
  if (Array.isArray(schema.anyOf) && !schema.anyOf.some(meets)) return false
  if (Array.isArray(schema.oneOf) && schema.oneOf.filter(meets).length !== 1) return false
  if (schema.not !== undefined && meets(schema.not)) return false
  return schema.if === undefined || meets((meets(schema.if) ? schema.then : schema.else) ?? true)
}

function listOf(type: unknown): readonly unknown[] {
  return Array.isArray(type) ? type : [type]
}

function isOfType(value: Scalar, type: unknown): boolean {
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'null') return value === null
  return type === typeof value
}

// Objects of a parsed message have no methods: a number too long for JavaScript is kept as its text.
function equals(one: unknown, value: Scalar): boolean {
  return one === value
}

function fitsText({ minLength, maxLength, pattern, format }: SchemaObject, value: string): boolean {
  if (minLength !== undefined || maxLength !== undefined) {
    const length = Array.from(value).length
    if (typeof minLength === 'number' && length < minLength) return false
    if (typeof maxLength === 'number' && length > maxLength) return false
  }
  if (typeof pattern === 'string' && !isMatch(pattern, value)) return false
  return typeof format !== 'string' || hasFormat(value, format)
}

const longestPattern = 1000
const largest = 2000

export function isMatch(pattern: string, value: string): boolean {
  if (pattern.length > longestPattern) return false
  try {
    const compiled = RE2JS.compile(RE2JS.translateRegExp(pattern))
    return compiled.programSize() <= largest && compiled.matcher(value).find()
  } catch {
    return false
  }
}

function fitsNumber(schema: SchemaObject, value: number): boolean {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema
  if (typeof minimum === 'number' && value < minimum) return false
  if (typeof maximum === 'number' && value > maximum) return false
  if (typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum) return false
  if (typeof exclusiveMaximum === 'number' && value >= exclusiveMaximum) return false
  return typeof multipleOf !== 'number' || multipleOf <= 0 || Number.isInteger(value / multipleOf)
}
