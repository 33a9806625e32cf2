// The canonical form of a definition, and its digest: what is equal as JSON has one digest, however it is written.
import { hash } from 'node:crypto'
import { ExactNumber, type JsonObject, type JsonValue, type Payload } from 'mcpgw/plugin'

/** No white space, keys in the order of their UTF-16 units, numbers as they were written. */
export function canonical(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (value instanceof ExactNumber) return value.text
  if (Array.isArray(value)) return `[${(value as readonly JsonValue[]).map(canonical).join(',')}]`
  const object = value as JsonObject
  const keys = Object.keys(object).sort()
  return `{${keys.map(key => `${JSON.stringify(key)}:${canonical(object[key]!)}`).join(',')}}`
}

/** SHA-256 of the canonical form, hex. */
export function digestOf({ value }: Pick<Payload, 'value'>): string {
  return hash('sha256', canonical(value), 'hex')
}
