// What must be true of a statement of another gateway before it is anybody's: who signed it, for whom and when, and that it is of this very request.
import { type KeyObject, verify } from 'node:crypto'
import { type Deny, deny, type Peer } from 'mcpgw/plugin'
import { type GatewayConfig, gatewayName } from './gateway-config.ts'
import type { GatewayKeys } from './gateway-keys.ts'
import { type ReadToken, readToken } from './jwt-form.ts'
import { idPattern, rolePattern } from './names.ts'
import { type JsonMap, memberOf } from './strict-json.ts'

/** The one word of a refusal that the other gateway learns. Until it has proven who it is, that is `unknown`. */
export type RefusalWord =
  | 'unknown'
  | 'audience'
  | 'expired'
  | 'future'
  | 'restarted'
  | 'replayed'
  | 'changed'
  | 'tenant'
  | 'loop'
  | 'subject'

export interface NotAccepted {
  readonly word: RefusalWord
  /** For the record; quotes nothing that was not checked. */
  readonly why: string
}

/** Whoever it speaks for; `id` undefined: itself. Roles are those that it may bring. */
export interface Spoken {
  readonly gateway: GatewayConfig
  readonly keyId: string
  readonly id: string | undefined
  readonly tenant: string
  readonly roles: readonly string[]
  /** Gateways that it came through, this one not counted. */
  readonly gateways: readonly string[]
  readonly jti: string
  /** When it was signed, and until when it holds, ms since 1970. */
  readonly from: number
  readonly until: number
}

export interface KnownGateway {
  readonly config: GatewayConfig
  readonly keys: GatewayKeys
}

const maxLifeS = 60
const maxRoles = 1000
const maxGateways = 4
const subject = /^[\x21-\x7e]{1,255}$/
const unique = /^[A-Za-z0-9_-]{16,64}$/
const no = (word: RefusalWord, why: string): NotAccepted => ({ word, why })

const challengeOf = (word: RefusalWord): string => `mcpgw-caller error="${word}"`

export function refuse({ word, why }: NotAccepted): Deny {
  return deny('bad-signature', 'the signature of the gateway is not accepted', { detail: why, challenge: challengeOf(word) })
}

/** Whether what was refused so was signed by the gateway that it names. */
export function isProven({ challenge }: Deny): boolean {
  return challenge !== challengeOf('unknown')
}

/** `now`: ms since 1970. */
export function checkStatement(
  value: string,
  peer: Peer,
  now: number,
  find: (name: string) => KnownGateway | undefined,
): Spoken | NotAccepted {
  const read = readToken(value)
  if ('why' in read) return no('unknown', read.why)
  const iss = memberOf(read.payload, 'iss')
  const gateway = typeof iss === 'string' ? find(iss) : undefined
  if (gateway === undefined) return no('unknown', 'a gateway that is not configured')
  const { config } = gateway
  const key = keyFor(read, gateway.keys)
  if (!('type' in key)) return no('unknown', `gateway ${config.name}: ${key.why}`)
  if (!isSigned(value, key)) return no('unknown', `gateway ${config.name}: the signature is wrong`)
  const withName = ({ word, why }: NotAccepted): NotAccepted => no(word, `gateway ${config.name}: ${why}`)
  const times = checkTimes(read.payload, config, now)
  if ('why' in times) return withName(times)
  const fault = findChange(read.payload, peer)
  if (fault !== undefined) return withName(no('changed', fault))
  const gateways = readGateways(memberOf(read.payload, 'via'), config.name)
  if (gateways === undefined) return withName(no('loop', `it came in a circle, or through more than ${maxGateways} gateways`))
  const who = readSubject(read.payload, config)
  if ('why' in who) return withName(who)
  const jti = memberOf(read.payload, 'jti')
  if (typeof jti !== 'string' || !unique.test(jti)) return withName(no('subject', 'no "jti"'))
  return { gateway: config, keyId: read.kid!, ...who, gateways, jti, ...times }
}

function keyFor({ alg, typ, kid }: ReadToken, keys: GatewayKeys): KeyObject | { readonly why: string } {
  // Invariant: one algorithm, and a type that no token of another purpose has.
  if (alg !== 'EdDSA' || typ !== 'mcpgw-caller+jwt') return { why: 'an algorithm or a type that is not accepted' }
  return (kid === undefined ? undefined : keys.get(kid)) ?? { why: 'no such key' }
}

function isSigned(value: string, key: KeyObject): boolean {
  const end = value.lastIndexOf('.')
  return verify(null, Buffer.from(value.slice(0, end)), key, Buffer.from(value.slice(end + 1), 'base64url'))
}

function checkTimes(payload: JsonMap, { audience, leeway }: GatewayConfig, now: number): { from: number; until: number } | NotAccepted {
  const aud = memberOf(payload, 'aud')
  if (typeof aud !== 'string' || !audience.includes(aud)) return no('audience', 'it is for another audience')
  const iat = memberOf(payload, 'iat')
  const exp = memberOf(payload, 'exp')
  if (!isTime(iat) || !isTime(exp) || exp <= iat || exp > iat + maxLifeS) return no('expired', `it does not expire within ${maxLifeS} s`)
  if (iat > now / 1000 + leeway) return no('future', 'it was signed in the future')
  if (exp + leeway <= now / 1000) return no('expired', 'it has expired')
  return { from: iat * 1000, until: (exp + leeway) * 1000 }
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 253_402_300_799
}

/** What of the request is not as it was signed. */
function findChange(payload: JsonMap, peer: Peer): string | undefined {
  const { request } = peer
  if (request === undefined) return 'there is no request to hold it against'
  if (memberOf(payload, 'method') !== request.method) return 'it is of another method'
  if (memberOf(payload, 'path') !== request.target) return 'it is of another path'
  if (memberOf(payload, 'body') !== request.digest) return 'it is of another body'
  if (!isSameHeader(memberOf(payload, 'session'), peer.header('mcp-session-id'))) return 'it is of another session'
  if (!isSameHeader(memberOf(payload, 'event'), peer.header('last-event-id'))) return 'it is of another event'
  return undefined
}

function isSameHeader(signed: unknown, [value, ...others]: readonly string[]): boolean {
  return others.length === 0 && signed === value
}

/** With the one that signed; undefined where one of them is there twice, or too many are. */
function readGateways(via: unknown, signer: string): readonly string[] | undefined {
  if (!Array.isArray(via) || via.length >= maxGateways) return undefined
  const all: unknown[] = [...via, signer]
  const names = all.filter((one): one is string => typeof one === 'string' && gatewayName.test(one))
  return names.length === all.length && new Set(names).size === all.length ? names : undefined
}

function readSubject(
  payload: JsonMap,
  { tenant: own, tenants, roles: may, ownRoles }: GatewayConfig,
): Pick<Spoken, 'id' | 'tenant' | 'roles'> | NotAccepted {
  const [id, tenant, roles] = [memberOf(payload, 'sub'), memberOf(payload, 'tenant'), memberOf(payload, 'roles')]
  if (id === undefined && tenant === undefined && roles === undefined) return { id, tenant: own, roles: ownRoles }
  if (typeof id !== 'string' || !subject.test(id)) return no('subject', 'the caller has no id that can be used')
  if (typeof tenant !== 'string' || !idPattern.test(tenant)) return no('subject', 'the caller has no tenant that can be used')
  if (tenant !== own && !tenants.includes(tenant)) return no('tenant', 'it may not speak for callers of this tenant')
  if (!Array.isArray(roles) || roles.length > maxRoles || !roles.every(one => typeof one === 'string' && rolePattern.test(one)))
    return no('subject', 'the roles of the caller are no list of roles')
  return { id, tenant, roles: may.filter(one => roles.includes(one)) }
}
