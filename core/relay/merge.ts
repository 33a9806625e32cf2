// What the gateway says of itself at initialize: the servers' own capabilities, merged, and that their lists change; of one server, exactly its own.
import type { ServerConfig } from '../config/schema.ts'
import { Json } from '../mcp/json.ts'
import { ExactNumber, type JsonObject, type JsonValue } from '../plugin/index.ts'
import type { Agreement } from '../upstream/handshake.ts'
import type { View } from './view.ts'

// A server that has not been heard of yet may still offer any of these, and capabilities cannot be told later.
const ANYTHING: JsonObject = {
  tools: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  prompts: { listChanged: true },
  logging: {},
  completions: {},
}

export function initializeResult(
  view: View,
  protocolVersion: string,
  version: string,
  agreementOf: (server: ServerConfig) => Agreement | undefined,
): Json {
  const agreements = view.servers.map(server => ({ id: server.id, agreement: agreementOf(server) }))
  if (view.only !== undefined) {
    const own = agreements[0]?.agreement
    return own === undefined
      ? Json.of({ protocolVersion, capabilities: ANYTHING, serverInfo: { name: view.only, version } })
      : asInitializeResult(own).with({ protocolVersion: Json.of(protocolVersion) })
  }
  let capabilities: JsonValue = agreements.length === 0 ? ANYTHING : {}
  for (const { agreement } of agreements) capabilities = merge(capabilities, agreement?.capabilities.value ?? ANYTHING)
  const instructions = agreements
    .filter(({ agreement }) => agreement?.instructions)
    .map(({ id, agreement }) => `# ${id}\n\n${agreement!.instructions}`)
    .join('\n\n')
  return Json.of({
    protocolVersion,
    capabilities: merge(capabilities, changesOf(capabilities)),
    serverInfo: { name: 'mcpgw', title: 'mcpgw', version },
    ...(instructions === '' ? {} : { instructions }),
  })
}

/** What a stateless server says of itself at `server/discover`, as one with sessions would have said it. */
function asInitializeResult({ era, result, serverInfo }: Agreement): Json {
  if (era === 'legacy') return result
  return result.with({ serverInfo, resultType: undefined, supportedVersions: undefined, ttlMs: undefined, cacheScope: undefined })
}

/** Servers come and go: of that the gateway tells, whatever they promise themselves. */
function changesOf(capabilities: JsonValue): JsonObject {
  const lists = ['tools', 'resources', 'prompts'].filter(kind => isObject(capabilities) && Object.hasOwn(capabilities, kind))
  return Object.fromEntries(lists.map(kind => [kind, { listChanged: true }]))
}

/** Objects are united, a flag is set where any server sets it; of other values the first stays. */
function merge(a: JsonValue, b: JsonValue): JsonValue {
  if (isObject(a) && isObject(b)) {
    const out: Record<string, JsonValue> = Object.create(null)
    for (const key of Object.keys(a)) out[key] = a[key]!
    for (const key of Object.keys(b)) {
      const before = out[key]
      out[key] = before === undefined ? b[key]! : merge(before, b[key]!)
    }
    return out
  }
  if (typeof a === 'boolean' && typeof b === 'boolean') return a || b
  return a
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)
}
