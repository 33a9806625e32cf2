// Equal JSON, equal text: members in one order, numbers as they were written where JavaScript would change them.
import { ExactNumber, type JsonObject, type JsonValue } from './json.ts'

/** No white space, keys in the order of their UTF-16 units, numbers as they were written. */
export function canonicalText(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (value instanceof ExactNumber) return value.text
  if (Array.isArray(value)) return `[${(value as readonly JsonValue[]).map(canonicalText).join(',')}]`
  const object = value as JsonObject
  const keys = Object.keys(object).sort()
  return `{${keys.map(key => `${JSON.stringify(key)}:${canonicalText(object[key]!)}`).join(',')}}`
}
