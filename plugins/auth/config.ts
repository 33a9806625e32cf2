// The config of auth: where created keys are kept, keys written into the config itself, issuers of tokens, and who a stdio client is.
import { z } from 'zod'
import { type CertificateConfig, certificateSchema } from './certificate-method.ts'
import type { FailureLimits } from './failures.ts'
import { findSameGateway, type GatewayConfig, gatewaySchema, isOfGateway } from './gateway-config.ts'
import { findOverlap, type IssuerConfig, isAskable, issuerSchema } from './jwt-config.ts'
import { idPattern, namePattern, rolePattern } from './names.ts'
import { aboutPrincipal, id, type PrincipalConfig } from './principal-shape.ts'
import { type ResourceConfig, resourceSchema } from './resource-config.ts'

export { idPattern, namePattern, rolePattern }

/** A key that stands in the config: the form of older gateway.yaml files. */
export interface ConfigKey extends PrincipalConfig {
  readonly key: string
  readonly consumerId: string
  readonly enabled: boolean
}

export interface AuthConfig {
  /** `outage` in seconds. */
  readonly keys: { readonly path: string; readonly pepper: string; readonly shared: boolean; readonly outage: number }
  readonly failures: FailureLimits
  readonly apiKeys: readonly ConfigKey[]
  readonly jwt: readonly IssuerConfig[]
  readonly resource?: ResourceConfig | undefined
  readonly certificates: readonly CertificateConfig[]
  readonly gateways: readonly GatewayConfig[]
  readonly stdio: PrincipalConfig
}

export const configSchema: z.ZodType<AuthConfig> = z
  .strictObject({
    keys: z
      .strictObject({
        path: z.string().min(1).default('keys.db').describe('Key store, relative to the data directory'),
        pepper: z.string().min(1).default('keys.pepper').describe('File of the secret that keys are stored under, made at first use'),
        shared: z.boolean().default(false).describe('Keep the keys in the database of store.url, in place of the file'),
        outage: z
          .number()
          .min(0)
          .max(86_400)
          .default(300)
          .describe('Seconds for which the keys that are known count while that database cannot be asked'),
      })
      .prefault({}),
    failures: z
      .strictObject({
        limit: z.int().min(1).max(100_000).default(60).describe('So many failed attempts at once, and in each window'),
        window: z.number().min(1).max(86_400).default(60).describe('Seconds'),
      })
      .prefault({})
      .describe('How often one address, or whoever names one key, may fail to authenticate'),
    apiKeys: z
      .array(
        z.strictObject({
          id: id.describe('Public id of the key, for records'),
          key: z.string().describe('The key itself; better not in the file: use a reference to a secret'),
          ...aboutPrincipal,
          consumerId: id.describe('Id of the principal that the key stands for'),
          enabled: z.boolean().default(true),
        }),
      )
      .default([])
      .describe('Keys as older gateway.yaml files have them; prefer `mcpgw keys create`'),
    jwt: z.array(issuerSchema).default([]).describe('Issuers whose tokens are accepted'),
    resource: resourceSchema.optional().describe('The gateway as a protected resource of OAuth 2.1'),
    certificates: z
      .array(certificateSchema)
      .default([])
      .describe('Whom client certificates stand for; without entries they are for transport only'),
    gateways: z.array(gatewaySchema).default([]).describe('Other gateways, which sign what they ask for their callers'),
    stdio: z
      .strictObject({ id: id.default('local'), ...aboutPrincipal })
      .prefault({})
      .describe('The principal of a client that started the gateway and speaks over stdio'),
  })
  .superRefine((given, ctx) => {
    const overlap = findOverlap(given.jwt)
    if (overlap !== undefined) ctx.addIssue({ code: 'custom', path: ['jwt'], message: overlap })
    const same = findSameGateway(given.gateways)
    if (same !== undefined) ctx.addIssue({ code: 'custom', path: ['gateways'], message: same })
    for (const { id, path } of writtenIds(given)) {
      const owner = given.gateways.find(one => isOfGateway(id, one))
      if (owner !== undefined)
        ctx.addIssue({ code: 'custom', path, message: `ids like this are those of callers of gateway ${owner.name}` })
    }
    if (given.resource !== undefined && !given.jwt.some(({ issuer }) => isAskable(issuer)))
      ctx.addIssue({
        code: 'custom',
        path: ['resource'],
        message: 'a resource needs an issuer to send clients to: set "jwt", with an issuer that is a url',
      })
  })

type Written = Pick<AuthConfig, 'stdio' | 'apiKeys' | 'certificates'>

/** Whoever has an id by the config itself. */
function writtenIds({ stdio, apiKeys, certificates }: Written): { readonly id: string; readonly path: (string | number)[] }[] {
  return [
    { id: stdio.id, path: ['stdio', 'id'] },
    ...apiKeys.map(({ consumerId: id }, at) => ({ id, path: ['apiKeys', at, 'consumerId'] })),
    ...certificates.flatMap(({ principal }, at) =>
      principal === undefined ? [] : [{ id: principal.id, path: ['certificates', at, 'principal', 'id'] }],
    ),
  ]
}
