// Parameters of a tool that are mirrored in `Mcp-Param-*` headers: read from the tool's schema, compiled once per definition.
// Spec: 2026-07-28 basic/transports/streamable-http, "Custom Headers from Tool Parameters".
import { writeHeaderValue } from './header-value.ts'
import type { Json } from './json.ts'

export interface ParamHeader {
  /** Lower case, with its prefix: `mcp-param-region`. */
  readonly name: string
  /** The chain of property names from the arguments to the value. */
  readonly path: readonly string[]
  readonly type: 'string' | 'integer' | 'boolean'
}

/** `invalid` says why the definition may not be used over HTTP. */
export type ParamHeaders = readonly ParamHeader[] | { readonly invalid: string }

const NONE: readonly ParamHeader[] = Object.freeze([])
const ANNOTATION = 'x-mcp-header'
const MARK = Buffer.from(ANNOTATION)
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const compiled = new WeakMap<Json, ParamHeaders>()

export function paramHeadersOf(definition: Json): ParamHeaders {
  let found = compiled.get(definition)
  if (found === undefined) {
    found = mayHold(definition) ? compile(definition) : NONE
    compiled.set(definition, found)
  }
  return found
}

export function isInvalid(headers: ParamHeaders): headers is { readonly invalid: string } {
  return 'invalid' in headers
}

/** The value as its header says it; undefined where the arguments have none, or null. */
export function paramHeaderValue({ path, type }: ParamHeader, args: Json | undefined): string | undefined {
  let at = args
  for (const key of path) at = at?.type === 'object' ? at.get(key) : undefined
  if (at === undefined) return undefined
  if (type === 'string') return at.type === 'string' ? writeHeaderValue(at.value as string) : undefined
  if (type === 'boolean') return at.type === 'boolean' ? at.text : undefined
  return at.type === 'number' && Number.isSafeInteger(Number(at.text)) ? String(Number(at.text)) : undefined
}

/** Without false negatives: an escape may hide the word. */
function mayHold({ bytes }: Json): boolean {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return source.includes(MARK) || source.includes('\\u')
}

function compile(definition: Json): ParamHeaders {
  const schema = definition.get('inputSchema')
  const headers: ParamHeader[] = []
  const fault = schema?.type === 'object' ? collect(schema, [], headers) : undefined
  if (fault !== undefined) return { invalid: fault }
  const names = new Set(headers.map(({ name }) => name))
  if (names.size < headers.length) return { invalid: `two properties have the same ${ANNOTATION}` }
  // Invariant: an annotation that the chains of `properties` do not reach makes the definition invalid.
  return schema !== undefined && count(schema) > headers.length ? { invalid: `${ANNOTATION} where no chain of properties leads` } : headers
}

function collect(schema: Json, path: readonly string[], into: ParamHeader[]): string | undefined {
  const annotation = schema.get(ANNOTATION)
  if (annotation !== undefined) {
    const name = annotation.type === 'string' ? (annotation.value as string) : ''
    const type = schema.string('type')
    if (path.length === 0) return `${ANNOTATION} on the arguments as a whole`
    if (!TOKEN.test(name)) return `${ANNOTATION} is not the name of a header`
    if (type !== 'string' && type !== 'integer' && type !== 'boolean')
      return `${ANNOTATION} on a property that is no string, integer or boolean`
    into.push({ name: `mcp-param-${name.toLowerCase()}`, path, type })
  }
  const properties = schema.get('properties')
  if (properties?.type !== 'object') return undefined
  for (const key of properties.keys()) {
    const property = properties.get(key)
    const fault = property?.type === 'object' ? collect(property, [...path, key], into) : undefined
    if (fault !== undefined) return fault
  }
  return undefined
}

/** How often the annotation stands anywhere, but as the name of a property. */
function count(value: Json, isMap = false): number {
  if (value.type === 'array') return value.items().reduce((sum, item) => sum + count(item), 0)
  if (value.type !== 'object') return 0
  let sum = 0
  for (const key of value.keys()) {
    if (key === ANNOTATION && !isMap) sum++
    else if (isMap || !DATA.has(key)) sum += count(value.get(key)!, !isMap && MAPS.has(key))
  }
  return sum
}

/** Keywords whose members are named by the author of the schema, and those that hold data instead of schemas. */
const MAPS: ReadonlySet<string> = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'])
const DATA: ReadonlySet<string> = new Set(['const', 'default', 'enum', 'examples'])
