// The gateway as a protected resource: its metadata (RFC 9728), its challenges, its audiences (RFC 8707), and the scopes that it asks for.
import { compileGlob, type Deny, deny, type JsonObject, type Resource as Target } from 'mcpgw/plugin'
import type { Challenge } from './authenticate.ts'
import type { Reach } from './jwt-method.ts'
import type { ResourceConfig } from './resource-config.ts'

const place = '/.well-known/oauth-protected-resource'
const whole = '/mcp'
const endpoint = /^\/mcp(\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)?$/

export interface ProtectedResource {
  readonly challenge: Challenge
  readonly reach: Reach
  /** What is shown under `rest` below its well-known place. It does not tell which servers exist. */
  metadata(rest: string): JsonObject | undefined
  /** A refusal where scopes are missing; it names all that are needed at once. */
  check(target: Target, granted: ReadonlySet<string>, path: string | undefined): Deny | undefined
  /** False where it asks for no scope at all. */
  readonly hasScopes: boolean
}

export function createResource(config: ResourceConfig, issuers: readonly string[]): ProtectedResource {
  const { origin, pathname } = new URL(config.url)
  const prefix = pathname.replace(/\/$/, '')
  const base = `${origin}${prefix}`
  const rules = config.stepUp.map(({ server, tool, scopes }) => ({
    matchesServer: compileGlob(server),
    matchesTool: tool === undefined ? undefined : compileGlob(tool),
    scopes,
  }))
  const offered = [...new Set([...config.scopes, ...rules.flatMap(({ scopes }) => scopes)])]
  const about = (path: string | undefined): string => `resource_metadata="${origin}${place}${prefix}${path ?? whole}"`
  const asking = (scopes: readonly string[]): string[] => (scopes.length === 0 ? [] : [`scope="${scopes.join(' ')}"`])

  function needed(target: Target): readonly string[] {
    if (!('server' in target)) return config.scopes
    // Invariant: an API key needs no scope, so whoever is answered with a new one has them all.
    if (target.kind === 'call' && target.secret === true) return offered
    const met = rules.filter(
      ({ matchesServer, matchesTool }) =>
        matchesServer(target.server) && (matchesTool === undefined || (target.kind === 'call' && matchesTool(target.tool))),
    )
    return [...config.scopes, ...met.flatMap(({ scopes }) => scopes)]
  }

  return {
    challenge: (path, error) =>
      `Bearer ${[...(error === undefined ? [] : [`error="${error}"`]), ...asking(config.scopes), about(path)].join(', ')}`,
    reach(audience, issuer) {
      const own = audience.flatMap(one => (one.startsWith(base) && endpoint.test(one.slice(base.length)) ? [one.slice(base.length)] : []))
      if (own.includes(whole) || audience.some(one => issuer.audience.includes(one))) return 'all'
      return own.length === 0 ? undefined : new Set(own)
    },
    metadata(rest) {
      const inside = prefix !== '' && rest.startsWith(`${prefix}/`) ? rest.slice(prefix.length) : rest
      const path = inside === '' ? whole : inside
      if (!endpoint.test(path)) return undefined
      return {
        resource: `${base}${path}`,
        authorization_servers: [...issuers],
        // Spec: authorization, "Scope Selection Strategy": what is needed for a beginning; more is asked for when it is needed.
        ...(config.scopes.length > 0 && { scopes_supported: config.scopes }),
        bearer_methods_supported: ['header'],
        ...(config.name !== undefined && { resource_name: config.name }),
      }
    },
    check(target, granted, path) {
      const wanted = needed(target)
      const missing = wanted.filter(scope => !granted.has(scope))
      if (missing.length === 0) return undefined
      // Spec: authorization, "Scope Challenge Handling": what the token has goes along, so that a new one does not have less.
      const all = offered.filter(scope => wanted.includes(scope) || granted.has(scope))
      return deny('insufficient-scope', 'the token lacks a scope', {
        detail: `the token lacks ${[...new Set(missing)].join(' ')}`,
        challenge: `Bearer ${['error="insufficient_scope"', ...asking(all), about(path)].join(', ')}`,
      })
    },
    hasScopes: offered.length > 0,
  }
}
