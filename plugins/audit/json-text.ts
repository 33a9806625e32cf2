// Record text is put together from JSON text that exists already; this is the little that must be written anew.
import { ExactNumber, type JsonValue } from 'mcpgw/plugin'

/** A JSON string. */
export const quote: (text: string) => string = JSON.stringify

/** `,"name":"value"`, or nothing where the value is undefined. `name` needs no escaping. */
export function member(name: string, value: string | undefined): string {
  return value === undefined ? '' : `,"${name}":${quote(value)}`
}

const thousandths: readonly string[] = Array.from({ length: 1000 }, (_, i) => `.${String(i).padStart(3, '0')}`)

/** A time in ms with three decimals, never negative. To print a fraction costs ten times as much as two small integers. */
export function milliseconds(ms: number): string {
  const micros = Math.max(0, Math.round(ms * 1000))
  const whole = Math.floor(micros / 1000)
  return whole + thousandths[micros - whole * 1000]!
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
