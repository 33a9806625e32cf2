// What one endpoint shows: all servers under qualified names, or one server under its own.
import type { GatewayConfig, ServerConfig } from '../config/schema.ts'

export interface View {
  /** `undefined` for the aggregated endpoint. */
  readonly only: string | undefined
  readonly servers: readonly ServerConfig[]
  /** How names are made: as the server has them, qualified, or bare where unique. */
  readonly naming: 'own' | 'qualified' | 'bare'
}

export interface Views {
  all: View
  /** The endpoint of one server; `undefined` where it does not exist or is not enabled. */
  of(server: string): View | undefined
}

export function createViews(config: Pick<GatewayConfig, 'servers' | 'names'>): Views {
  const servers = config.servers.filter(server => server.enabled)
  const single = new Map(servers.map(server => [server.id, { only: server.id, servers: [server], naming: 'own' } satisfies View]))
  return { all: { only: undefined, servers, naming: config.names }, of: id => single.get(id) }
}
