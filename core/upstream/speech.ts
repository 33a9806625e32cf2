// How a stateless server is spoken to: the envelope that each request carries, and what HTTP mirrors of it.
// Spec: 2026-07-28 basic/index, "_meta", and basic/transports/streamable-http, "Request Metadata".
import { writeHeaderValue } from '../mcp/header-value.ts'
import type { Json } from '../mcp/json.ts'
import { type EnvelopeMembers, envelopeMembers, withEnvelope } from '../mcp/modern.ts'
import { isInvalid, paramHeadersOf, paramHeaderValue } from '../mcp/param-headers.ts'
import type { LaneClient } from './handshake.ts'

/** Which member of params `Mcp-Name` says again. */
const NAMED: Readonly<Record<string, string>> = Object.freeze({
  __proto__: null as never,
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
})

/** Of requests that older revisions have and this one has not: nothing that a stateless server could be asked. */
export const LEGACY_ONLY: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
  'tasks/list',
  'tasks/result',
  'notifications/initialized',
  'notifications/roots/list_changed',
])

const envelopes = new WeakMap<LaneClient, EnvelopeMembers>()

/** The params as a stateless server wants them. */
export function inEnvelope(params: Json | undefined, client: LaneClient, version: string): Json {
  let envelope = envelopes.get(client)
  if (envelope === undefined) {
    const { info, capabilities, logLevel } = client
    envelope = envelopeMembers({ version, info, capabilities: modernCapabilities(capabilities), logLevel })
    envelopes.set(client, envelope)
  }
  return withEnvelope(params, envelope)
}

/** The tasks of 2025-11-25 are another design than the extension of that name. */
function modernCapabilities(capabilities: Json): Json {
  return capabilities.get('tasks') === undefined ? capabilities : capabilities.with({ tasks: undefined })
}

/** Headers of one request, made from what is sent. `definition`: of the tool that is called. */
export function mirrorHeaders(
  method: string,
  params: Json | undefined,
  version: string,
  definition?: Json,
): Readonly<Record<string, string>> {
  const headers: Record<string, string> = { 'mcp-protocol-version': version, 'mcp-method': writeHeaderValue(method) }
  const key = NAMED[method]
  const name = key === undefined ? undefined : params?.string(key)
  if (name !== undefined) headers['mcp-name'] = writeHeaderValue(name)
  if (definition === undefined || method !== 'tools/call') return headers
  const mirrored = paramHeadersOf(definition)
  if (isInvalid(mirrored)) return headers
  for (const one of mirrored) {
    const value = paramHeaderValue(one, params?.get('arguments'))
    if (value !== undefined) headers[one.name] = value
  }
  return headers
}
