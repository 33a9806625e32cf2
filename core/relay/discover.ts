// What the gateway says of itself to stateless clients: the same as at initialize, in the words of their revision.
// Spec: 2026-07-28 server/discover.
import type { ServerConfig } from '../config/schema.ts'
import { Json } from '../mcp/json.ts'
import { LATEST_MODERN, META, MODERN_VERSIONS } from '../mcp/modern.ts'
import type { Agreement } from '../upstream/handshake.ts'
import { initializeResult } from './merge.ts'
import type { View } from './view.ts'

const VERSIONS = Json.of([...MODERN_VERSIONS])
const EMPTY = Json.of({})

export function discoverResult(view: View, version: string, agreementOf: (server: ServerConfig) => Agreement | undefined): Json {
  const said = initializeResult(view, LATEST_MODERN, version, agreementOf)
  const meta = said.object('_meta')
  const serverInfo = said.get('serverInfo')
  return said.with({
    supportedVersions: VERSIONS,
    // The tasks of 2025-11-25 are another thing than those of the extension.
    capabilities: (said.object('capabilities') ?? EMPTY).with({ tasks: undefined }),
    _meta: serverInfo === undefined ? meta : (meta ?? EMPTY).with({ [META.server]: serverInfo }),
    protocolVersion: undefined,
    serverInfo: undefined,
    ttlMs: undefined,
    cacheScope: undefined,
  })
}
