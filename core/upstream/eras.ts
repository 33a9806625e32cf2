// What is known of each server's era, so that it is asked once and not with every connection. Spec: 2026-07-28 basic/versioning.
import { createHash } from 'node:crypto'
import type { ServerConfig } from '../config/schema.ts'
import type { Era } from '../mcp/modern.ts'
import type { Clock } from '../plugin/index.ts'

/** How a server is reached and spoken to. */
export type Spoken = Era | 'sse'

export interface Eras {
  /** What is configured, else what was found out and still counts. */
  of(server: ServerConfig): Spoken | undefined
  learn(server: ServerConfig, spoken: Spoken): void
  /** What was found out does not hold any more. */
  forget(server: ServerConfig): void
}

/** A server may be replaced by a newer one behind the same command or address. */
const EXPIRY_MS = 60 * 60_000

export function createEras(clock: Clock): Eras {
  const found = new Map<string, { readonly spoken: Spoken; readonly until: number }>()
  return {
    of(server) {
      if (server.protocol !== 'auto') return server.protocol
      const known = found.get(keyOf(server))
      return known !== undefined && clock.mono() < known.until ? known.spoken : undefined
    },
    learn: (server, spoken) => void found.set(keyOf(server), { spoken, until: clock.mono() + EXPIRY_MS }),
    forget: server => void found.delete(keyOf(server)),
  }
}

const keys = new WeakMap<ServerConfig, string>()

/** Servers with the same command, or the same address, are the same program. */
function keyOf(server: ServerConfig): string {
  let key = keys.get(server)
  if (key === undefined) {
    key = createHash('sha256')
      .update(JSON.stringify(placeOf(server)))
      .digest('base64')
    keys.set(server, key)
  }
  return key
}

function placeOf(server: ServerConfig): readonly string[] {
  switch (server.kind) {
    case 'remote':
    case 'rest':
      return [server.url]
    case 'child':
      return [server.command, server.cwd ?? '', ...server.args]
    case 'inner':
      return []
  }
}
