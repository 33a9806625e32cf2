// Equal JSON, equal text: members in one order, numbers as they were written where JavaScript would change them.
import { ExactNumber, type JsonObject, type JsonValue } from 'mcpgw/plugin'

/** `leaveOut`: members of the outermost object that do not count. */
export function canonical(value: JsonValue, leaveOut: ReadonlySet<string> = NONE): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (value instanceof ExactNumber) return value.text
  if (Array.isArray(value)) return `[${(value as readonly JsonValue[]).map(item => canonical(item)).join(',')}]`
  const members = value as JsonObject
  const names = Object.keys(members).filter(name => !leaveOut.has(name))
  return `{${names
    .sort()
    .map(name => `${JSON.stringify(name)}:${canonical(members[name]!)}`)
    .join(',')}}`
}

const NONE: ReadonlySet<string> = new Set()
