// Puts together what makes tokens a way in: issuers, their keys, and the gateway as a resource; undefined where the config names no issuer.
import type { PluginContext } from 'mcpgw/plugin'
import type { Challenge } from './authenticate.ts'
import type { AuthConfig } from './config.ts'
import { openRemoteKeys } from './jwks.ts'
import { type IssuerConfig, isAskable } from './jwt-config.ts'
import { createJwtMethod, type JwtMethod, type Reach } from './jwt-method.ts'
import { type KeySource, openFixedKeys } from './key-source.ts'
import { createResource, type ProtectedResource } from './resource.ts'

export interface Tokens {
  readonly method: JwtMethod
  readonly challenge: Challenge
  readonly resource: ProtectedResource | undefined
  /** Begins to fetch keys. */
  start(): void
  reload(): Promise<void>
}

/** Rejects where keys that the config or a file has cannot be used. `part` gives the health of one more part. */
export async function openTokens(ctx: PluginContext<AuthConfig>, part: () => PluginContext['health']): Promise<Tokens | undefined> {
  const { config, clock } = ctx
  if (config.jwt.length === 0) return undefined
  const starts: (() => void)[] = []
  const sources: KeySource[] = []

  async function open(issuer: IssuerConfig): Promise<KeySource> {
    const { jwks } = issuer
    if (jwks !== undefined && !('url' in jwks)) return openFixedKeys(issuer, jwks, ctx.stores)
    const { outgoing, log } = ctx
    const remote = openRemoteKeys(issuer, jwks?.url, { outgoing, clock, log, health: part() })
    starts.push(remote.start)
    return remote
  }

  const issuers = []
  for (const issuer of config.jwt) {
    const keys = await open(issuer)
    sources.push(keys)
    ctx.onStop(() => keys.stop())
    issuers.push({ config: issuer, keys })
  }
  const resource =
    config.resource &&
    createResource(
      config.resource,
      config.jwt.map(({ issuer }) => issuer).filter(issuer => isAskable(issuer)),
    )
  return {
    method: createJwtMethod(issuers, resource?.reach ?? namedReach, clock.now),
    challenge: resource?.challenge ?? plainChallenge,
    resource,
    start() {
      for (const start of starts) start()
    },
    async reload() {
      for (const source of sources) await source.reload()
    },
  }
}

const namedReach: Reach = (audience, issuer) => (audience.some(one => issuer.audience.includes(one)) ? 'all' : undefined)

/** Spec: RFC 6750, 3.1. */
const plainChallenge: Challenge = (_, error) => (error === undefined ? undefined : `Bearer error="${error}"`)
