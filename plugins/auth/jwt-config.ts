// The config of tokens: which issuers are trusted, for which audience, with which algorithms, and what their claims mean.
import { z } from 'zod'
import { idPattern } from './names.ts'

/** Asymmetric alone: a secret that checks a token can also make one. */
export const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const
export type Algorithm = (typeof algorithms)[number]

/** Names of members from the outside in. */
export type ClaimPath = readonly string[]

export type JwksConfig =
  | { readonly url: string }
  | { readonly file: string }
  | { readonly keys: readonly Readonly<Record<string, unknown>>[] }

/** Times are seconds. */
export interface IssuerConfig {
  readonly issuer: string
  readonly audience: readonly string[]
  readonly algorithms: readonly Algorithm[]
  readonly jwks?: JwksConfig | undefined
  readonly leeway: number
  readonly maxAge: number
  readonly requiredClaims: readonly string[]
  readonly types: readonly ('at+jwt' | 'jwt' | 'absent')[]
  readonly idPrefix: string
  readonly tenant?: string | undefined
  readonly tenants?: readonly string[] | undefined
  readonly claims: {
    readonly id: ClaimPath
    readonly name?: ClaimPath | undefined
    readonly roles?: ClaimPath | undefined
    readonly tenant?: ClaimPath | undefined
    readonly keep: Readonly<Record<string, ClaimPath>>
  }
  readonly keys: { readonly refresh: number; readonly outage: number; readonly cooldown: number; readonly timeout: number }
}

const text = z.string().min(1)
const path = z.union([text.transform(one => [one]), z.array(text).min(1)], {
  error: 'expected the name of a claim, or a list of names from the outside in',
})
const tenant = z.string().regex(idPattern, 'a tenant is letters, digits and _ . : @ / + -')
const seconds = (least: number, most: number) => z.int().min(least).max(most)

const url = z.string().refine(given => isAskable(given, true), 'expected an https url, or http on this machine, without user and fragment')

const jwks = z.union(
  [
    url.transform(given => ({ url: given })),
    z.strictObject({ url }),
    z.strictObject({ file: text }),
    z.strictObject({ keys: z.array(z.record(z.string(), z.json())).min(1) }),
  ],
  { error: 'expected a url, { file: PATH } or { keys: [JWK, ...] }' },
)

const receiver = text.regex(/\S/, 'expected an audience, found spaces')
const audience = z.union([receiver.transform(one => [one]), z.array(receiver).min(1)], {
  error: 'expected an audience, or a list: what tokens for this gateway carry in "aud"; without one, tokens for anybody would do',
})

export const issuerSchema: z.ZodType<IssuerConfig> = z
  .strictObject({
    issuer: text.describe('As tokens have it in "iss", to the letter'),
    audience,
    algorithms: z
      .array(z.enum(algorithms))
      .min(1)
      .default([...algorithms]),
    jwks: jwks.optional().describe('The keys of the issuer; found through its metadata where it is left out'),
    leeway: seconds(0, 60).default(30).describe('How far clocks may be apart, seconds'),
    maxAge: seconds(1, 31_536_000).default(86_400).describe('How old a token may be, seconds since "iat"'),
    requiredClaims: z.array(text).default(['exp', 'iat', 'aud', 'sub']),
    types: z
      .array(
        z
          .string()
          .toLowerCase()
          .pipe(z.enum(['at+jwt', 'jwt', 'absent'])),
      )
      .min(1)
      .default(['at+jwt', 'jwt']),
    idPrefix: z
      .string()
      .regex(/^[A-Za-z0-9_.:@/+-]{0,64}$/, 'a prefix is letters, digits and _ . : @ / + -')
      .default('')
      .describe('Stands before the id of its principals'),
    tenant: tenant.optional().describe('Of all its principals; "default" where no claim says it either'),
    tenants: z.array(tenant).min(1).optional().describe('Those that the claim may name; any where it is left out'),
    claims: z
      .strictObject({
        id: path.default(['sub']),
        name: path.optional(),
        roles: path.optional(),
        tenant: path.optional(),
        keep: z.record(text, path).default({}).describe('Claims that policies may ask for, by the name they get'),
      })
      .prefault({}),
    keys: z
      .strictObject({
        refresh: seconds(30, 86_400).default(600).describe('Seconds until the keys are fetched again'),
        outage: seconds(0, 604_800).default(3600).describe('Seconds for which keys that could not be fetched again still count'),
        cooldown: seconds(1, 3600).default(30).describe('Seconds between two fetches for keys that nobody knows'),
        timeout: seconds(1, 4).default(2).describe('Seconds for one answer'),
      })
      .prefault({}),
  })
  .superRefine((given, ctx) => {
    const say = (at: string, message: string): void => ctx.addIssue({ code: 'custom', path: [at], message })
    if (given.tenant !== undefined && given.claims.tenant !== undefined) say('tenant', 'the tenant is fixed, or a claim says it: not both')
    if (given.tenants !== undefined && given.claims.tenant === undefined)
      say('tenants', 'no claim says the tenant: leave it out, or set claims.tenant')
    if (given.jwks === undefined && !isAskable(given.issuer))
      say('issuer', 'without "jwks" its metadata is asked: expected an https url, or http on this machine, without query and fragment')
  })

/** Plain http would let whoever stands between say by which keys tokens are checked. */
export function isAskable(given: string, mayHaveQuery = false): boolean {
  if (!URL.canParse(given)) return false
  const { protocol, hostname, username, password, search, hash } = new URL(given)
  if (username !== '' || password !== '' || (search !== '' && !mayHaveQuery) || hash !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname))
}

/** Two issuers whose principals could be mistaken for one another, as a sentence; undefined where there are none. */
export function findOverlap(issuers: readonly IssuerConfig[]): string | undefined {
  for (const [i, one] of issuers.entries()) {
    for (const other of issuers.slice(0, i)) {
      const pair = `${other.issuer} and ${one.issuer}`
      if (one.issuer === other.issuer) return `the issuer ${one.issuer} stands there twice`
      const haveTenants = one.claims.tenant === undefined && other.claims.tenant === undefined
      if (haveTenants && (one.tenant ?? 'default') !== (other.tenant ?? 'default')) continue
      if (one.idPrefix.startsWith(other.idPrefix) || other.idPrefix.startsWith(one.idPrefix))
        return `${pair} could name the same principal: give each an "idPrefix" of its own, or a fixed "tenant"`
    }
  }
  return undefined
}
