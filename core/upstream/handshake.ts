// The opening of a sessionful lane: what we say of the client, and what the server's answer must be.

import { Json } from '../mcp/json.ts'
import { isLegacyVersion, LATEST_LEGACY } from '../mcp/methods.ts'
import type { Era } from '../mcp/modern.ts'
import type { Answer } from '../plugin/index.ts'
import type { TransportFault } from './transport.ts'

/** What the server is told of the client. */
export interface LaneClient {
  readonly info: Json
  readonly capabilities: Json
  /** Least severe log message that it wants of this request (modern); absent: none. */
  readonly logLevel?: string | undefined
}

/** What was settled with the server. */
export interface Agreement {
  readonly era: Era
  readonly protocolVersion: string
  readonly capabilities: Json
  readonly serverInfo: Json
  readonly instructions: string | undefined
  /** The whole result of `initialize` (legacy) or `server/discover` (modern), for the endpoint of this one server. */
  readonly result: Json
}

export function initializeParams(client: LaneClient): Json {
  return Json.of({ protocolVersion: LATEST_LEGACY }).with({ capabilities: client.capabilities, clientInfo: client.info })
}

/** Spec: basic/lifecycle, "Version Negotiation": a version that we do not speak ends the connection. */
/** What one caller lacks says nothing of the server. */
const KEPT = ['upstream-timeout', 'upstream-crashed', 'upstream-credential'] as const

function codeOf(code: string | undefined): TransportFault['code'] {
  return KEPT.find(one => one === code) ?? 'upstream-unavailable'
}

export function agree(answer: Answer): Agreement | TransportFault {
  if (answer.kind === 'error') {
    // Shown in health, so of a server's own error the number alone.
    const text =
      answer.code === undefined
        ? `error ${(answer.payload as Json).get('code')!.text.slice(0, 20)}`
        : (answer.payload as Json).string('message')
    return { code: codeOf(answer.code), detail: `initialize failed: ${text}` }
  }
  const result = answer.payload as Json
  const protocolVersion = result.string('protocolVersion')
  if (protocolVersion === undefined || !isLegacyVersion(protocolVersion)) {
    return {
      code: 'upstream-unavailable',
      detail: `the server speaks protocol version ${JSON.stringify(protocolVersion?.slice(0, 20) ?? null)}`,
    }
  }
  return {
    era: 'legacy',
    protocolVersion,
    capabilities: result.object('capabilities') ?? Json.of({}),
    serverInfo: result.get('serverInfo') ?? Json.of({}),
    instructions: result.string('instructions'),
    result,
  }
}
