// The lock as text that people review: keys in order, one member a line, and nothing in it that the eye would miss.
import { ExactNumber } from 'mcpgw/plugin'
import type { Lock } from 'mcpgw/policy'

// A description may hide instructions in characters that no editor shows.
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

export function lockText(lock: Lock): string {
  return `${write(lock, '')}\n`
}

/** A JSON string without invisible characters. */
export function quote(text: string): string {
  return showUnseen(JSON.stringify(text))
}

/** The same JSON, its invisible characters as escapes. */
export function showUnseen(json: string): string {
  return json.replace(unseen, found => found.split('').map(escaped).join(''))
}

function write(value: unknown, indent: string): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (value instanceof ExactNumber) return value.text
  const inner = `${indent}  `
  if (Array.isArray(value)) {
    const items = value.map(item => `${inner}${write(item, inner)}`)
    return items.length === 0 ? '[]' : `[\n${items.join(',\n')}\n${indent}]`
  }
  const object = value as Readonly<Record<string, unknown>>
  const members = Object.keys(object)
    .sort()
    .map(key => `${inner}${quote(key)}: ${write(object[key], inner)}`)
  return members.length === 0 ? '{}' : `{\n${members.join(',\n')}\n${indent}}`
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}
