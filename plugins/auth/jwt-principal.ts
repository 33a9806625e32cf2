// From claims to a principal, as the config declares: what does not fit is a refusal, never a guess.
import type { Principal } from 'mcpgw/plugin'
import type { ClaimPath, IssuerConfig } from './jwt-config.ts'
import { idPattern, namePattern, rolePattern } from './names.ts'
import { makePrincipal } from './ring.ts'
import { isMap, type JsonMap, memberOf } from './strict-json.ts'

export interface Mapped {
  readonly principal: Principal
  readonly scopes: ReadonlySet<string>
}

const tokenId = /^[\x21-\x7e]{1,128}$/
const subject = /^[\x21-\x7e]{1,255}$/
const maxRoles = 1000

/** `why` quotes nothing of the token. Claims that are not mapped go nowhere. */
export function mapClaims(payload: JsonMap, config: IssuerConfig): Mapped | { readonly why: string } {
  const { claims, issuer, idPrefix } = config
  const id = valueAt(payload, claims.id)
  if (typeof id !== 'string' || !subject.test(id)) return { why: 'the claim of the id is no text without spaces, of 1 to 255 characters' }
  const roles = readRoles(claims.roles && valueAt(payload, claims.roles))
  if (roles === undefined) return { why: 'the claim of the roles is no list of roles' }
  const tenant = claims.tenant === undefined ? (config.tenant ?? 'default') : readTenant(valueAt(payload, claims.tenant), config.tenants)
  if (tenant === undefined) return { why: 'the claim of the tenant names none that is accepted' }
  const scopes = readScopes(payload)
  if (scopes === undefined) return { why: 'the scopes are no list' }
  const name = claims.name && valueAt(payload, claims.name)
  const jti = memberOf(payload, 'jti')
  const principal = makePrincipal(
    `${idPrefix}${id}`,
    typeof name === 'string' && namePattern.test(name) ? name : undefined,
    roles,
    tenant,
    { method: 'jwt', issuer, ...(typeof jti === 'string' && tokenId.test(jti) && { keyId: jti }) },
    keep(payload, claims.keep),
  )
  return { principal, scopes }
}

/** Own members only, of objects only. */
function valueAt(payload: JsonMap, path: ClaimPath): unknown {
  let value: unknown = payload
  for (const name of path) value = isMap(value) ? memberOf(value, name) : undefined
  return value
}

/** Absent or empty: no role. Anything but a list of well-formed roles: undefined, as a role less may be a right more. */
function readRoles(value: unknown): readonly string[] | undefined {
  if (value === undefined) return []
  if (!Array.isArray(value) || value.length > maxRoles) return undefined
  return value.every(role => typeof role === 'string' && rolePattern.test(role)) ? [...new Set<string>(value)] : undefined
}

function readTenant(value: unknown, among: readonly string[] | undefined): string | undefined {
  if (typeof value !== 'string' || !idPattern.test(value)) return undefined
  return among === undefined || among.includes(value) ? value : undefined
}

/** Spec: RFC 8693, 4.2 (`scope`, one text); some issuers say `scp`, as a text or a list. */
function readScopes(payload: JsonMap): ReadonlySet<string> | undefined {
  const value = memberOf(payload, 'scope') ?? memberOf(payload, 'scp') ?? []
  const list = typeof value === 'string' ? value.split(' ').filter(one => one !== '') : value
  return Array.isArray(list) && list.every(one => typeof one === 'string') ? new Set(list) : undefined
}

function keep(payload: JsonMap, paths: Readonly<Record<string, ClaimPath>>): JsonMap {
  const kept = Object.entries(paths).map(([name, path]) => [name, valueAt(payload, path)] as const)
  return Object.fromEntries(kept.filter(([, value]) => value !== undefined))
}
