// The config of other gateways: which may speak for callers of theirs, by which keys they are known, and for whom they may speak.
import type { Principal } from 'mcpgw/plugin'
import { z } from 'zod'
import { idPattern, rolePattern } from './names.ts'
import type { JsonMap } from './strict-json.ts'

export interface GatewayConfig {
  readonly name: string
  readonly audience: readonly string[]
  /** PEM, a JWK, or the path of a file with PEM. */
  readonly keys: readonly (string | JsonMap)[]
  /** Its own, and that of callers it may speak for. */
  readonly tenant: string
  /** Further ones whose callers it may speak for. */
  readonly tenants: readonly string[]
  readonly roles: readonly string[]
  readonly ownRoles: readonly string[]
  /** Seconds. */
  readonly leeway: number
}

export const gatewayName: RegExp = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/

const text = z.string().regex(/\S/, 'expected a text, found nothing')
const tenant = z.string().regex(idPattern, 'a tenant is letters, digits and _ . : @ / + -')
const roles = z.array(z.string().regex(rolePattern, 'a role is letters, digits, _ . : and -, without wildcards')).default([])

export const gatewaySchema: z.ZodType<GatewayConfig> = z.strictObject({
  name: z
    .string()
    .regex(gatewayName, 'a name is at most 32 letters, digits and _ . -')
    .describe('What it calls itself ("as" in its config); stands before the ids of its callers'),
  audience: z
    .union([text.transform(one => [one]), z.array(text).min(1)], { error: 'expected a text, or a list of them' })
    .describe('What this gateway is to it: the url under which it has this one as a server, or its "audience"'),
  keys: z
    .array(z.union([text, z.record(z.string(), z.json())], { error: 'expected PEM, a JWK or the path of a file' }))
    .min(1)
    .describe('Its public Ed25519 keys, the next one as well: PEM, a JWK, or a file with PEM, relative to the data directory'),
  tenant: tenant.default('default').describe('Its own, whose callers it may speak for'),
  tenants: z.array(tenant).default([]).describe('Further tenants whose callers it may speak for'),
  roles: roles.describe('Roles that its callers may bring; all others are left out'),
  ownRoles: roles.describe('Roles of the gateway itself, when it asks for nobody: to list what there is'),
  leeway: z.int().min(0).max(60).default(30).describe('How far clocks may be apart, seconds'),
})

/** What is wrong with several of them, as a sentence. */
export function findSameGateway(gateways: readonly GatewayConfig[]): string | undefined {
  const names = gateways.map(({ name }) => name)
  const twice = names.find((name, at) => names.indexOf(name) < at)
  return twice === undefined ? undefined : `the gateway ${twice} stands there twice`
}

/** Invariant: no name has a slash, so that the ids of two gateways are never the same, nor is a gateway one of its callers. */
export function isOfGateway(id: string, { name }: Pick<GatewayConfig, 'name'>): boolean {
  return id === name || id.startsWith(`${name}/`)
}

/** Whoever may come by it, as far as the config tells. */
export function peopleOf({ tenant, tenants, roles, ownRoles }: GatewayConfig): readonly Pick<Principal, 'roles' | 'tenant'>[] {
  return [tenant, ...tenants].map(one => ({ tenant: one, roles: [...roles, ...ownRoles] }))
}
