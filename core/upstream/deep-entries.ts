// A list of which some entries are nested too deep is a list without them: one bad tool must not fail the others.
import { deepest } from '../mcp/json/scan.ts'
import { isFault, Json, type JsonLimits } from '../mcp/json.ts'
import { LISTS } from '../mcp/methods.ts'

/** The message, the result, the list. */
const AROUND = 3
const FIELDS = LISTS.map(list => list.field)

/** `undefined` where the message is none of a list, or is too deep elsewhere as well. */
export function withoutDeepEntries(bytes: Uint8Array, limits: JsonLimits): { readonly json: Json; readonly dropped: number } | undefined {
  const message = Json.scan(bytes, { ...limits, depth: deepest })
  if (isFault(message)) return undefined
  const result = message.get('result')
  const field = FIELDS.find(name => result?.get(name)?.type === 'array')
  if (field === undefined) return undefined
  const entries = result!.get(field)!.items()
  const kept = entries.filter(entry => !isFault(Json.scan(entry.bytes, { ...limits, depth: limits.depth - AROUND })))
  const json = Json.scan(message.with({ result: result!.with({ [field]: Json.list(kept) }) }).bytes, limits)
  return isFault(json) ? undefined : { json, dropped: entries.length - kept.length }
}
