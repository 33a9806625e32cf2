// Takes out of a server's message what only the gateway may say: keys of `_meta` that begin with `mcpgw/`, and `data.mcpgw` of an error.
import { Json } from '../mcp/json.ts'
import { ExactNumber, type JsonObject, type JsonValue } from '../plugin/index.ts'

const PREFIX = 'mcpgw/'
// With its quote, which is rarer than any of its letters: this looks at every message.
const WORD = Buffer.from('"mcpgw')
const ESCAPE = Buffer.from('\\u00')
// Any letter of the word, escaped.
const HIDDEN = /\\u00(?:6[37d]|7[07])/i

/** The same object where there is nothing to take out. */
export function withoutReserved(message: Json): Json {
  if (!mayHold(message)) return message
  const { value } = message
  const cleaned = clean(value)
  return cleaned === value ? message : Json.of(cleaned)
}

/** Cheap and without false negatives. */
function mayHold(message: Json): boolean {
  const { buffer, byteOffset, length } = message.bytes
  const bytes = Buffer.from(buffer, byteOffset, length)
  return bytes.includes(WORD) || (bytes.includes(ESCAPE) && HIDDEN.test(message.text))
}

function clean(message: JsonValue): JsonValue {
  if (Array.isArray(message)) return mapItems(message, clean)
  if (!isObject(message)) return message
  const { error } = message
  const told = isObject(error) && isObject(error.data) && Object.hasOwn(error.data, 'mcpgw')
  if (!told) return cleanMeta(message)
  const honest = put(
    error as JsonObject,
    'data',
    omit(error.data as JsonObject, key => key === 'mcpgw'),
  )
  return cleanMeta(put(message, 'error', honest))
}

// Invariant: the scan bounds the depth.
function cleanMeta(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return mapItems(value, cleanMeta)
  if (!isObject(value)) return value
  let copy: Record<string, JsonValue> | undefined
  for (const key of Object.keys(value)) {
    const before = value[key]!
    const honest = key === '_meta' && isObject(before) ? omit(before, name => name.startsWith(PREFIX)) : before
    const after = cleanMeta(honest)
    if (after === before) continue
    copy ??= Object.assign(Object.create(null) as Record<string, JsonValue>, value)
    copy[key] = after
  }
  return copy ?? value
}

function omit(object: JsonObject, isReserved: (key: string) => boolean): JsonObject {
  if (!Object.keys(object).some(isReserved)) return object
  const copy = Object.create(null) as Record<string, JsonValue>
  for (const key of Object.keys(object)) if (!isReserved(key)) copy[key] = object[key]!
  return copy
}

function put(object: JsonObject, key: string, value: JsonValue): JsonObject {
  const copy = Object.assign(Object.create(null) as Record<string, JsonValue>, object)
  copy[key] = value
  return copy
}

function mapItems(items: readonly JsonValue[], map: (item: JsonValue) => JsonValue): readonly JsonValue[] {
  const mapped = items.map(map)
  return mapped.some((item, i) => item !== items[i]) ? mapped : items
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)
}
