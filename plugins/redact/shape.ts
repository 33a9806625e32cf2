// Which members of MCP messages are free text or data, and which are protocol that must arrive as it was sent.
import { ExactNumber, type JsonObject, type JsonValue } from 'mcpgw/plugin'

/**
 * `keep`: untouched. `document`: text or data of the tool or its user, masked throughout.
 * `protocol`: members have treatments of their own. `schema`: only its prose. `encoded`: base64, else like a document. `meta`: `_meta`.
 * `entries`: keys are the server's, whatever they are called; each member is a request to the client, or his answer.
 */
export type Treatment = 'keep' | 'document' | 'protocol' | 'schema' | 'encoded' | 'meta' | 'entries'

// Spec: names, uris, cursors, tokens and enumerations of the MCP schema.
const kept =
  'name uri uriTemplate url cursor nextCursor type role mimeType method level logger model stopReason action mode id toolUseId elicitationId taskId requestId requestState resultType ttlMs cacheScope supportedVersions progressToken progress total protocolVersion capabilities serverInfo clientInfo ref icons roots code isError'
const protocol = 'contents messages task tasks tools resources resourceTemplates prompts resource argument context annotations params'
const treatments: ReadonlyMap<string, Treatment> = new Map<string, Treatment>([
  ...kept.split(' ').map(key => [key, 'keep'] as const),
  ...protocol.split(' ').map(key => [key, 'protocol'] as const),
  ['inputSchema', 'schema'],
  ['outputSchema', 'schema'],
  ['requestedSchema', 'schema'],
  ['blob', 'encoded'],
  ['data', 'encoded'],
  ['_meta', 'meta'],
  ['inputRequests', 'entries'],
  ['inputResponses', 'entries'],
])

/** How member `key` of a protocol object is treated; members that the specification does not name are documents. */
export function treatmentOf(key: string, value: JsonValue): Treatment {
  // Blocks and declared arguments are lists; a block alone (sampling) has a type; else it is what a user filled in or what a tool gets.
  if (key === 'content') return Array.isArray(value) || (isObject(value) && typeof value.type === 'string') ? 'protocol' : 'document'
  if (key === 'arguments') return Array.isArray(value) ? 'protocol' : 'document'
  return treatments.get(key) ?? 'document'
}

const keptMeta = new Set(['progressToken', 'traceparent', 'tracestate'])

export function isKeptMeta(key: string): boolean {
  return keptMeta.has(key) || key.startsWith('io.modelcontextprotocol/')
}

const prose = new Set(['title', 'description', '$comment', 'default', 'example', 'examples'])

export function isProse(key: string): boolean {
  return prose.has(key)
}

/** Standard base64 of some length: decoding it is not this version's work, and masking inside would break it. */
export function isBase64(text: string): boolean {
  return text.length >= 32 && text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof ExactNumber)
}
