// JSON Schemas that refer to parts of themselves, made to stand in a larger document: what they refer to becomes a component of it.
import type { JsonObject, JsonValue } from '../plugin/index.ts'

const WITHIN = '#/$defs/'

/** Without the dialect, which OpenAPI 3.1 speaks too. `into`: `components.schemas`; `name`: a prefix of its own there. */
export function lift(schema: JsonObject, name: string, into: Record<string, JsonValue>): JsonObject {
  const { $schema: _, $defs = {}, ...rest } = schema
  const placeOf = (part: string): string => `${name}.${part.replaceAll(/[^\w.-]/g, '_')}`
  let isRecursive = false

  function refer(to: string): string {
    if (to === '#') isRecursive = true
    if (to === '#') return `#/components/schemas/${name}`
    return to.startsWith(WITHIN) ? `#/components/schemas/${placeOf(to.slice(WITHIN.length))}` : to
  }
  function move(value: JsonValue): JsonValue {
    if (Array.isArray(value)) return value.map(move)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, key === '$ref' && typeof member === 'string' ? refer(member) : move(member)]),
    )
  }

  for (const [part, definition] of Object.entries($defs as JsonObject)) into[placeOf(part)] = move(definition)
  const own = move(rest) as JsonObject
  if (isRecursive) into[name] = own
  return own
}
