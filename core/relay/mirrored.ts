// Parameters of a tool that its schema wants mirrored in headers: each header must say what the body says, or the call is not made.
// Spec: 2026-07-28 basic/transports/streamable-http, "Server Behavior for Custom Headers".
import { readHeaderValue } from '../mcp/header-value.ts'
import type { Json } from '../mcp/json.ts'
import { isInvalid, type ParamHeader, paramHeadersOf, paramHeaderValue } from '../mcp/param-headers.ts'
import type { Peer } from '../plugin/index.ts'

/** What a header says otherwise than the body; undefined where nothing is to be said. */
export function mirrorFault(peer: Peer, definition: Json | undefined, params: Json): string | undefined {
  if (peer.transport !== 'http' || definition === undefined) return undefined
  const headers = paramHeadersOf(definition)
  if (isInvalid(headers)) return undefined
  const args = params.get('arguments')
  for (const header of headers) {
    const fault = faultOf(header, peer.header(header.name), args)
    if (fault !== undefined) return `${header.name} ${fault}`
  }
  return undefined
}

function faultOf(header: ParamHeader, [said, ...others]: readonly string[], args: Json | undefined): string | undefined {
  const mirrored = paramHeaderValue(header, args)
  const wanted = mirrored === undefined ? undefined : readHeaderValue(mirrored)
  if (others.length > 0) return 'is there more than once'
  if (said === undefined) return wanted === undefined ? undefined : 'is missing'
  const value = readHeaderValue(said)
  if (value === undefined) return 'is badly encoded'
  if (wanted === undefined) return 'is there, and the body has no such value'
  return value === wanted || (header.type === 'integer' && sameInteger(value, wanted)) ? undefined : 'does not say what the body says'
}

/** `42.0` is 42. */
function sameInteger(a: string, b: string): boolean {
  return /^-?\d+(?:\.0+)?$/.test(a) && Number(a) === Number(b)
}
