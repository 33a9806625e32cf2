// Refuses what the config of auth says and the rest of the config leaves without effect: a slip that would ask for less than is meant.
import { compileGlob, type GatewayFacts, suggest } from 'mcpgw/plugin'
import type { AuthConfig } from './config.ts'

/** Throws, naming the field. */
export function refuseWithoutEffect({ resource, certificates }: AuthConfig, { servers, asksForCertificates }: GatewayFacts): void {
  if (certificates.length > 0 && !asksForCertificates)
    throw new Error(
      'auth: certificates: the listener asks nobody for a certificate; set "clientCertificates" and "ca" in listen.tls, or leave "certificates" out',
    )
  for (const [at, { server }] of (resource?.stepUp ?? []).entries()) {
    if (server === '*' || servers.some(compileGlob(server))) continue
    const near = suggest(server, servers)
    const known =
      servers.length === 0 ? 'there are none' : near === undefined ? `expected one of ${servers.join(', ')}` : `did you mean ${near}?`
    throw new Error(
      `auth: resource.stepUp[${at}].server: ${JSON.stringify(server)} is no server, so that its scopes are never asked for; ${known}`,
    )
  }
}
