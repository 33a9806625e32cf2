// What must be true of a signed payload before it is anybody's: who it is from and for, and when.
import type { IssuerConfig } from './jwt-config.ts'
import type { ReadToken } from './jwt-form.ts'
import { type JsonMap, memberOf } from './strict-json.ts'

export interface Standing {
  readonly audience: readonly string[]
  /** From this moment on it holds no more, ms since 1970. */
  readonly until: number
}

/** `now`: ms since 1970. `why` quotes nothing of the token. */
export function checkClaims({ payload, typ }: ReadToken, config: IssuerConfig, now: number): Standing | { readonly why: string } {
  if (!config.types.some(type => type === (typ ?? 'absent'))) return { why: 'a type that is not accepted' }
  for (const name of config.requiredClaims) if (isEmpty(memberOf(payload, name))) return { why: `no claim "${name}"` }
  const audience = readAudience(memberOf(payload, 'aud'))
  if (audience === undefined) return { why: 'no audience' }
  const times = readTimes(payload)
  if ('why' in times) return times
  const { exp, iat, nbf } = times
  const seconds = now / 1000
  const { leeway, maxAge } = config
  // Invariant: no leeway makes a token of tomorrow one of today; both ends are moved by the same 60 seconds at most.
  if (iat > seconds + leeway) return { why: 'it was issued in the future' }
  if (nbf !== undefined && nbf > seconds + leeway) return { why: 'it is not valid yet' }
  if (exp <= iat || (nbf !== undefined && exp <= nbf)) return { why: 'it expires before it begins' }
  const until = Math.min(exp + leeway, iat + maxAge + leeway)
  if (until <= seconds) return { why: exp + leeway <= seconds ? 'it has expired' : `it is older than ${maxAge} s` }
  return { audience, until: until * 1000 }
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
}

function readAudience(aud: unknown): readonly string[] | undefined {
  const list = typeof aud === 'string' ? [aud] : aud
  return Array.isArray(list) && list.length > 0 && list.every(one => typeof one === 'string' && one !== '') ? list : undefined
}

function readTimes(payload: JsonMap): { exp: number; iat: number; nbf: number | undefined } | { readonly why: string } {
  const exp = memberOf(payload, 'exp')
  if (!isTime(exp)) return { why: 'no time at which it expires' }
  const iat = memberOf(payload, 'iat')
  if (!isTime(iat)) return { why: 'no time at which it was issued' }
  const nbf = memberOf(payload, 'nbf')
  if (nbf !== undefined && !isTime(nbf)) return { why: 'an "nbf" that is no time' }
  return { exp, iat, nbf }
}

/** Spec: RFC 7519, "NumericDate"; up to the year 9999. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 253_402_300_799
}
