// Which era a server is of: asked with `server/discover`, since a first message without an envelope can pin a server of both to the older one.
// Spec: 2026-07-28 basic/transports/stdio and basic/transports/streamable-http, "Backward Compatibility".
import { Json } from '../mcp/json.ts'
import { isModernError, META, MODERN_VERSIONS } from '../mcp/modern.ts'
import type { Answer } from '../plugin/index.ts'
import type { Agreement } from './handshake.ts'
import type { TransportFault } from './transport.ts'

/** `legacy`: it has to be initialized. `unsure`: nothing is known yet, and initializing will tell. A fault ends it. */
export type Discovery = Agreement | TransportFault | 'legacy' | 'unsure'

/** `failed`: what the transport said, where it brought no message. */
export function readDiscovery(answer: Answer, failed: TransportFault | undefined): Discovery {
  const payload = answer.payload as Json
  if (answer.kind === 'result') return agreeModern(payload)
  if (answer.code !== undefined) {
    // A status or a body that is no message: it has not understood the question.
    if (answer.code === 'upstream-garbage') return 'legacy'
    if (answer.code === 'upstream-timeout' || (failed?.status ?? 0) >= 500) return 'unsure'
    return failed ?? { code: codeOf(answer.code), detail: `server/discover failed: ${payload.string('message')}` }
  }
  if (!isModernError(payload)) return 'legacy'
  const supported = payload.get('data')?.get('supported')?.items() ?? []
  const spoken = supported.slice(0, 10).map(one => one.text.slice(0, 20))
  const speaks = spoken.length === 0 ? '' : `; it speaks ${spoken.join(', ')}`
  return { code: 'upstream-unavailable', detail: `the server refuses server/discover: error ${payload.get('code')!.text}${speaks}` }
}

function agreeModern(result: Json): Discovery {
  const offered = result.get('supportedVersions')?.items() ?? []
  // An older server may answer anything to a method that it does not know.
  if (offered.length === 0) return 'legacy'
  const version = MODERN_VERSIONS.find(ours => offered.some(one => one.type === 'string' && one.value === ours))
  if (version === undefined) {
    const shown = offered.slice(0, 10).map(one => one.text.slice(0, 20))
    return { code: 'upstream-unavailable', detail: `the server speaks protocol versions ${shown.join(', ')}` }
  }
  return {
    era: 'modern',
    protocolVersion: version,
    capabilities: result.object('capabilities') ?? Json.of({}),
    serverInfo: result.get('_meta')?.get(META.server) ?? result.get('serverInfo') ?? Json.of({}),
    instructions: result.string('instructions'),
    result,
  }
}

function codeOf(code: string): TransportFault['code'] {
  return code === 'upstream-crashed' ? code : 'upstream-unavailable'
}
