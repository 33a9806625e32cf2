// The method "JWT": a token of a trusted issuer, for this gateway, signed by a key of that issuer, within its time.
import { type Awaitable, type Identify, identify, type Peer, type Principal } from 'mcpgw/plugin'
import type { Method, MethodAnswer } from './authenticate.ts'
import type { Credential } from './credential.ts'
import { checkClaims } from './jwt-claims.ts'
import type { Algorithm, IssuerConfig } from './jwt-config.ts'
import { hasTokenForm, maxTokenLength, type ReadToken, readToken } from './jwt-form.ts'
import { mapClaims } from './jwt-principal.ts'
import type { VerificationKey } from './key-set.ts'
import type { KeySource } from './key-source.ts'
import { createLifetimes } from './lifetimes.ts'
import { isSigned } from './signature.ts'
import { memberOf } from './strict-json.ts'
import { createVerified, digestToken } from './verified.ts'

export interface Issuer {
  readonly config: IssuerConfig
  readonly keys: KeySource
}

/** What the audience of a token reaches: `all`, or the endpoints named (paths); undefined where it is not for this gateway. */
export type Reach = (audience: readonly string[], config: IssuerConfig) => 'all' | ReadonlySet<string> | undefined

export interface JwtMethod extends Method {
  /** Whether it is a token whose signature must be checked first. */
  mustVerify(credential: Credential): boolean
  /** Of a principal who came with a token, none where they are not known; undefined for any other. */
  scopesOf(principal: Principal): ReadonlySet<string> | undefined
  /** Tells principals whose last token has ended since it was asked last. */
  ended(now: number): ((principal: Principal) => boolean) | undefined
}

interface Seen {
  readonly known: Identify
  readonly until: number
  readonly reach: 'all' | ReadonlySet<string>
  readonly key: VerificationKey
  readonly source: KeySource
  readonly binding: unknown
  readonly issuer: string
}

const name = 'jwt'
const maxSeen = 10_000
const none: ReadonlySet<string> = new Set()
const unknown: MethodAnswer = Object.freeze({ kind: 'unknown' })
const closed = (why: string): MethodAnswer => ({ kind: 'closed', why })

/** `now` is read again where keys had to be waited for. */
export function createJwtMethod(issuers: readonly Issuer[], reach: Reach, now: () => number): JwtMethod {
  const byName = new Map(issuers.map(issuer => [issuer.config.issuer, issuer]))
  const seen = createVerified<Seen>(maxSeen)
  const scopes = new WeakMap<Principal, ReadonlySet<string>>()
  const lifetimes = createLifetimes()

  async function verify(token: string, digest: string, peer: Peer): Promise<MethodAnswer> {
    const read = readToken(token)
    if ('why' in read) return closed(read.why)
    const iss = memberOf(read.payload, 'iss')
    const issuer = typeof iss === 'string' ? byName.get(iss) : undefined
    if (issuer === undefined) return closed('a token of no configured issuer')
    const { config, keys } = issuer
    const refuse = (why: string): MethodAnswer => closed(`a token of ${config.issuer}: ${why}`)
    if (!config.algorithms.some(one => one === read.alg)) return refuse('an algorithm that is not accepted')
    const found = await keys.find(read.kid, read.alg)
    if (found.kind === 'unavailable') return { kind: 'unavailable', why: `the keys of ${config.issuer}: ${found.why}` }
    if (found.kind !== 'key') return refuse(found.kind === 'unknown' ? 'no such key' : 'several keys could be meant')
    if (!(await isSigned(token, found.key, read.alg as Algorithm))) return refuse('the signature is wrong')
    const entry = admit(read, issuer, found.key)
    if ('why' in entry) return refuse(entry.why)
    seen.set(digest, entry)
    lifetimes.note(entry.known.principal, entry.until, () => keys.holds(found.key))
    return conclude(entry, peer, now())
  }

  function admit(read: ReadToken, { config, keys }: Issuer, key: VerificationKey): Seen | { readonly why: string } {
    const standing = checkClaims(read, config, now())
    if ('why' in standing) return standing
    const reached = reach(standing.audience, config)
    if (reached === undefined) return { why: 'it is for another audience' }
    const mapped = mapClaims(read.payload, config)
    if ('why' in mapped) return mapped
    scopes.set(mapped.principal, mapped.scopes)
    return {
      known: Object.freeze(identify(mapped.principal)),
      until: standing.until,
      reach: reached,
      key,
      source: keys,
      binding: memberOf(read.payload, 'cnf'),
      issuer: config.issuer,
    }
  }

  /** Invariant: a key that left the issuer's set takes its tokens along. */
  function recall(digest: string): Seen | undefined {
    const entry = seen.get(digest)
    if (entry === undefined || entry.source.holds(entry.key)) return entry
    seen.delete(digest)
    return undefined
  }

  return {
    name,
    mustVerify: credential =>
      credential.kind === 'bearer' &&
      credential.value.length <= maxTokenLength &&
      hasTokenForm(credential.value) &&
      recall(digestToken(credential.value)) === undefined,
    identify({ kind, value }, at, peer): Awaitable<MethodAnswer> {
      if (kind !== 'bearer' || !hasTokenForm(value)) return unknown
      if (value.length > maxTokenLength) return closed(`a token of more than ${maxTokenLength} characters`)
      const digest = digestToken(value)
      const entry = recall(digest)
      if (entry !== undefined) return conclude(entry, peer, at)
      return verify(value, digest, peer)
    },
    scopesOf: principal => scopes.get(principal) ?? (principal.via.method === name ? none : undefined),
    ended: at => lifetimes.look(at),
  }
}

/** What depends on the moment and on the request. */
function conclude({ known, until, reach, binding, issuer }: Seen, peer: Peer, now: number): MethodAnswer {
  if (now >= until) return closed(`a token of ${issuer}: it has expired`)
  if (reach !== 'all' && !reach.has(peer.path ?? '')) return closed(`a token of ${issuer}: it is for another endpoint`)
  if (binding !== undefined && !isBoundTo(binding, peer)) return closed(`a token of ${issuer}: it is bound to a key that was not shown`)
  return known
}

/** Spec: RFC 8705, 3.1. Any other binding (DPoP) is not checked here, so that such a token is no bearer token. */
function isBoundTo(binding: unknown, { certificate }: Peer): boolean {
  if (typeof binding !== 'object' || binding === null || certificate === undefined) return false
  const [[name, thumbprint] = [], ...others] = Object.entries(binding)
  if (name !== 'x5t#S256' || others.length > 0) return false
  return thumbprint === Buffer.from(certificate.fingerprint, 'hex').toString('base64url')
}
