// What may stand under `auth` of a remote server: how the gateway gets the credential that it shows there, or signs.
import * as z from 'zod'
import { coded, guardedUrl, words } from './fields.ts'
import type { OAuthClient, ServerAuth } from './schema.ts'

const scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'a scope is one word of ASCII')

const clientFields = {
  token: guardedUrl.optional().meta({ description: 'The token endpoint; or name the issuer' }),
  issuer: guardedUrl
    .optional()
    .meta({ description: 'The authorization server; its metadata (RFC 8414, OpenID Connect) name the endpoints' }),
  clientId: words.meta({ description: 'What the gateway is called there' }),
  clientSecret: words.optional().meta({ description: 'Its secret: ${secret:NAME}' }),
  privateKey: words.optional().meta({
    description: 'In place of a secret: PEM of an EC P-256 or RSA key, ${secret:NAME} or the path of a file of mode 0600 (private_key_jwt)',
  }),
  keyId: words.optional().meta({ description: 'Of the private key, where the authorization server knows several' }),
  clientAuth: z
    .enum(['basic', 'post'])
    .optional()
    .meta({ description: 'How the secret is sent: in the Authorization header (default), or in the body' }),
  scopes: z.array(scope).optional().meta({ description: 'What is asked for' }),
  resource: guardedUrl.optional().meta({ description: 'RFC 8707: the server that the token is for' }),
  audience: words.optional().meta({ description: 'The same for authorization servers that know no resource' }),
}

type Client = Readonly<Partial<Pick<OAuthClient, 'token' | 'issuer' | 'clientSecret' | 'privateKey'>>>
const hasOneSource = (client: Client): boolean => (client.token === undefined) !== (client.issuer === undefined)
const hasOneProof = (client: Client): boolean => (client.clientSecret === undefined) !== (client.privateKey === undefined)
const ONE_SOURCE = coded('conflicting-keys', 'give either "token" or "issuer"')
const ONE_PROOF = coded('conflicting-keys', 'give either "clientSecret" or "privateKey"')

const oauth = z
  .strictObject(clientFields)
  .refine(hasOneSource, ONE_SOURCE)
  .refine(hasOneProof, ONE_PROOF)
  .meta({ description: 'Client credentials: the gateway has one token for all callers' })

const exchange = z
  .strictObject({
    ...clientFields,
    subjectType: z.enum(['access_token', 'jwt', 'id_token']).optional().meta({
      description: "What the caller's token is to the token endpoint (RFC 8693, 3); default access_token",
    }),
  })
  .refine(hasOneSource, ONE_SOURCE)
  .refine(hasOneProof, ONE_PROOF)
  .meta({ description: "Token exchange (RFC 8693): the caller's JWT is exchanged for a token of his own; for servers that are not shared" })

const { token: _, issuer: __, ...userFields } = clientFields
const user = z
  .strictObject({
    ...userFields,
    issuer: guardedUrl.meta({ description: 'The authorization server that users visit' }),
    gateway: guardedUrl
      .refine(
        value => value.startsWith('https://') && !/[?/]$/.test(value),
        coded('bad-value', 'expected https://HOST, without a slash at its end'),
      )
      .meta({ description: 'Where browsers reach the gateway; register GATEWAY/credentials/callback as the redirect URI' }),
  })
  .refine(client => client.clientSecret === undefined || client.privateKey === undefined, ONE_PROOF)
  .meta({
    description:
      'Each user authorises the gateway himself (authorization code, PKCE), when a call needs it; for servers that are not shared',
  })

const gateway = z
  .strictObject({
    as: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/, 'a name of at most 32 letters, digits and _ . -')
      .meta({ description: 'What this gateway is called there: the "name" under its "gateways"' }),
    privateKey: words.meta({
      description: 'PEM of an Ed25519 key, ${secret:NAME} or the path of a file of mode 0600; the other gateway has the public one',
    }),
    audience: words.optional().meta({ description: 'What the other gateway is called in what is signed for it; default: the url' }),
  })
  .meta({
    description:
      'The server is another gateway: each request is signed and says who makes it, with tenant and roles; for servers that are not shared',
  })

const hasOneWay = (given: object): boolean => Object.values(given).filter(value => value !== undefined).length === 1

export const auth: z.ZodType<ServerAuth> = z
  .strictObject({ oauth: oauth.optional(), exchange: exchange.optional(), user: user.optional(), gateway: gateway.optional() })
  .refine(hasOneWay, coded('conflicting-keys', 'give one of oauth, exchange, user, gateway'))
  .meta({
    description:
      'What the gateway shows to this server: a bearer token that it gets, or its signature; the credential of the caller is never sent on',
  })
