// How a stateless server is spoken to: the envelope that each request carries, and what HTTP mirrors of it.
// Spec: 2026-07-28 basic/index, "_meta", and basic/transports/streamable-http, "Request Metadata".
import { writeHeaderValue } from '../mcp/header-value.ts'
import type { Json } from '../mcp/json.ts'
import { type EnvelopeMembers, envelopeMembers, LEGACY_REQUESTS, NAMED_BY, withEnvelope } from '../mcp/modern.ts'
import { isInvalid, paramHeadersOf, paramHeaderValue } from '../mcp/param-headers.ts'
import type { LaneClient } from './handshake.ts'

/** Nothing that a stateless server could be asked or told. */
export const LEGACY_ONLY: ReadonlySet<string> = new Set([
  ...LEGACY_REQUESTS,
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
  const key = NAMED_BY.get(method)
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
