// Record text is put together from JSON text that exists already; this is the little that must be written anew.
import { ExactNumber, type JsonValue } from 'mcpgw/plugin'

/** A JSON string. */
export const quote: (text: string) => string = JSON.stringify

/** `,"name":"value"`, or nothing where the value is undefined. `name` needs no escaping. */
export function member(name: string, value: string | undefined): string {
  return value === undefined ? '' : `,"${name}":${quote(value)}`
}

/** Compact JSON; an ExactNumber keeps its text. */
export function serialise(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (value instanceof ExactNumber) return value.text
  if (Array.isArray(value)) return `[${(value as readonly JsonValue[]).map(serialise).join(',')}]`
  const members = Object.entries(value as Readonly<Record<string, JsonValue>>)
  return `{${members.map(([key, inner]) => `${quote(key)}:${serialise(inner)}`).join(',')}}`
}

/** On one line. Strictly scanned JSON has raw line breaks and tabs between its tokens only. */
export function onOneLine(json: string): string {
  return json.replace(/[\n\r\t]/g, ' ')
}
