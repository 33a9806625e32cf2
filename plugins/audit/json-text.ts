// Record text is put together from JSON text that exists already; this is the little that must be written anew.
import { ExactNumber, type JsonValue } from 'mcpgw/plugin'

/** A JSON string without control, format and invisible characters: these are escaped. */
export function quote(text: string): string {
  return escapeInvisible(JSON.stringify(text))
}

const PLAIN = /^[\x20-\x7e]*$/
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

/** Of JSON text without raw control characters: equal when parsed, and nothing in it that a terminal or a reader of lines acts on. */
export function escapeInvisible(json: string): string {
  if (PLAIN.test(json)) return json
  return json.replace(UNSAFE, character => {
    let escaped = ''
    for (let i = 0; i < character.length; i++) escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`
    return escaped
  })
}

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
  if (typeof value === 'string') return quote(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (value instanceof ExactNumber) return value.text
  if (Array.isArray(value)) return `[${(value as readonly JsonValue[]).map(serialise).join(',')}]`
  const members = Object.entries(value as Readonly<Record<string, JsonValue>>)
  return `{${members.map(([key, inner]) => `${quote(key)}:${serialise(inner)}`).join(',')}}`
}

/** On one line, and printable. Strictly scanned JSON has raw line breaks and tabs between its tokens only. */
export function onOneLine(json: string): string {
  return escapeInvisible(json.replace(/[\n\r\t]/g, ' '))
}
