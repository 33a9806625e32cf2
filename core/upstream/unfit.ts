// Entries of a list that are kept back, each alone: names that hide something, schemas that cost dearly whoever compiles them.
import { isFault, Json } from '../mcp/json.ts'
import type { ListKind } from '../mcp/methods.ts'

/** Far more than any tool that people write; what is over it was made to hurt. */
const MAX_SUBSCHEMAS = 4000
const MAX_SCHEMA_DEPTH = 48
const MAX_SCHEMA_BYTES = 1024 * 1024

// Nothing of this is seen by a person who reads the name: controls, tags, zero width, direction marks, variation selectors.
const HIDDEN_IN_NAME = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u
// In a uri may stand what a person wrote, in any script.
const HIDDEN_IN_URI = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\u{e0000}-\u{e007f}]/u
const BRACE = 0x7b
const QUOTE = 0x22
const ESCAPE = 0x5c

/** Why not, for the log. `$ref` is no reason, wherever it points: nothing here follows it. */
export function whyUnfit({ nameKey }: ListKind, item: Json, name: string): string | undefined {
  if ((nameKey === 'name' ? HIDDEN_IN_NAME : HIDDEN_IN_URI).test(name)) return 'characters that nobody sees in its name'
  if (nameKey !== 'name') return undefined
  for (const key of ['inputSchema', 'outputSchema']) {
    const schema = item.get(key)
    const why = schema === undefined ? undefined : whyTooMuch(schema.bytes)
    if (why !== undefined) return `${key} ${why}`
  }
  return undefined
}

function whyTooMuch(schema: Uint8Array): string | undefined {
  if (schema.length > MAX_SCHEMA_BYTES) return `of ${schema.length} bytes`
  if (countObjects(schema) > MAX_SUBSCHEMAS) return `of more than ${MAX_SUBSCHEMAS} subschemas`
  const deep = isFault(Json.scan(schema, { bytes: MAX_SCHEMA_BYTES, depth: MAX_SCHEMA_DEPTH, keys: MAX_SCHEMA_BYTES }))
  return deep ? `nested deeper than ${MAX_SCHEMA_DEPTH} levels` : undefined
}

function countObjects(json: Uint8Array): number {
  // `{},` is the shortest.
  if (json.length < MAX_SUBSCHEMAS * 3) return 0
  let count = 0
  let inString = false
  for (let i = 0; i < json.length; i++) {
    const byte = json[i]
    if (byte === QUOTE) inString = !inString
    else if (byte === ESCAPE) i++
    else if (byte === BRACE && !inString) count++
  }
  return count
}
