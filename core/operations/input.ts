// The input of an operation that came by its route: texts of path and query become what its schema says, members of the body stay what they are.
import { Json } from '../mcp/json.ts'
import type { JsonValue, Operation } from '../plugin/index.ts'
import { describe } from './tool.ts'

type Given = Readonly<Record<string, string | readonly string[]>>
interface Described {
  readonly type?: unknown
  readonly anyOf?: readonly Described[]
  readonly items?: Described
}

/** What does not fit is left as it is: the schema says so then. A member that is in the path and in the body is the path's. */
export function inputOf(operation: Operation, given: Given, body: Json | undefined): Json {
  const { properties = {} } = describe(operation).inputSchema as { readonly properties?: Readonly<Record<string, Described>> }
  const named: Record<string, Json> = Object.create(null) as Record<string, Json>
  for (const [key, value] of Object.entries(given))
    named[key] = Json.of(read(value, Object.hasOwn(properties, key) ? properties[key] : undefined))
  return (body ?? Json.of({})).with(named)
}

function read(value: string | readonly string[], described: Described | undefined): JsonValue {
  const kinds = described === undefined ? [] : [described, ...(described.anyOf ?? [])]
  if (kinds.some(({ type }) => type === 'array')) {
    const items = kinds.find(({ items: of }) => of !== undefined)?.items
    return (typeof value === 'string' ? [value] : value).map(one => read(one, items))
  }
  if (typeof value !== 'string') return value
  if (kinds.some(({ type }) => type === 'integer' || type === 'number') && /^-?\d{1,15}(\.\d{1,15})?$/.test(value)) return Number(value)
  if (kinds.some(({ type }) => type === 'boolean') && (value === 'true' || value === 'false')) return value === 'true'
  return value
}
