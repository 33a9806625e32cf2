// Where clients of this machine reach a gateway.
import type { ListenConfig } from '../config/schema.ts'

/** Undefined where the port is chosen at each start. `actual`: the one that it was. */
export function endpointOf(
  { host, tls, port: configured }: Pick<ListenConfig, 'host' | 'port' | 'tls'>,
  actual?: number,
): string | undefined {
  const port = actual ?? configured
  if (port === 0) return undefined
  return `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}/mcp`
}
