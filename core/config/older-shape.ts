// What may stand in the older gateway.yaml, checked as strictly as the file of today.
import * as z from 'zod'
import { type Duration, duration } from './fields.ts'
import { env, serverId } from './server-shape.ts'

export interface OlderShape {
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly auth?: OlderAuth | undefined
  readonly servers?: readonly OlderServer[] | undefined
  readonly policies?: readonly Readonly<Record<string, unknown>>[] | undefined
  readonly audit?: OlderAudit | undefined
  readonly metering?: ({ readonly enabled?: boolean | undefined } & Readonly<Record<string, unknown>>) | undefined
  readonly rateLimit?: ({ readonly enabled?: boolean | undefined } & Readonly<Record<string, unknown>>) | undefined
}
export interface OlderAuth {
  readonly type: 'api-key' | 'jwt' | 'oidc' | 'none'
  readonly keys?: readonly OlderKey[] | undefined
  readonly jwt?: unknown
  readonly oidc?: unknown
}
export interface OlderKey {
  readonly id: string
  readonly key: string
  readonly name?: string | undefined
  readonly consumerId: string
  readonly roles?: readonly string[] | undefined
  readonly enabled?: boolean | undefined
  readonly rateLimit?: number | undefined
  readonly expiresAt?: string | undefined
}
export interface OlderServer {
  readonly id: string
  readonly name?: string | undefined
  readonly command: string
  readonly args?: readonly string[] | undefined
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly enabled?: boolean | undefined
  readonly timeout?: Duration
  readonly tags?: readonly string[] | undefined
  readonly maxMemory?: number | undefined
  readonly healthCheck?: boolean | undefined
}
export interface OlderAudit {
  readonly enabled?: boolean | undefined
  readonly storage?: 'sqlite' | 'postgres' | 'webhook' | undefined
  readonly path?: string | undefined
  readonly dsn?: string | undefined
  readonly webhookUrl?: string | undefined
  readonly retentionDays?: number | undefined
  readonly hashChain?: boolean | undefined
  readonly export?: unknown
}

const text = z.string().min(1)
const count = z.number().int().min(0)
const enabled = z.boolean().optional()
const roles = z.array(text)

const claims = { issuer: text.optional(), audience: text.optional(), rolesField: text.optional(), consumerIdField: text.optional() }
const auth: z.ZodType<OlderAuth> = z.strictObject({
  type: z.enum(['api-key', 'jwt', 'oidc', 'none']),
  keys: z
    .array(
      z.strictObject({
        id: text,
        key: text,
        name: text.optional(),
        consumerId: text,
        roles: roles.optional(),
        enabled,
        rateLimit: count.optional(),
        expiresAt: text.optional(),
      }),
    )
    .optional(),
  jwt: z.strictObject({ ...claims, secret: text.optional(), publicKey: text.optional() }).optional(),
  oidc: z
    .strictObject({ ...claims, issuerUrl: text, clientId: text, jwksUri: text.optional(), allowedDomains: z.array(text).optional() })
    .optional(),
})

const server: z.ZodType<OlderServer> = z.strictObject({
  id: serverId,
  name: text.optional(),
  command: text,
  args: z.array(z.string()).optional(),
  env: env.optional(),
  enabled,
  timeout: duration.optional(),
  tags: z.array(text).optional(),
  maxMemory: count.optional(),
  healthCheck: z.boolean().optional(),
})

const policy = z.strictObject({
  id: text,
  name: text.optional(),
  roles,
  rules: z.array(
    z.strictObject({
      server: text.optional(),
      tool: text.optional(),
      action: z.enum(['allow', 'deny']),
      conditions: z
        .array(
          z.strictObject({
            param: text,
            operator: z.enum(['eq', 'neq', 'in', 'regex']),
            value: z.union([z.string(), z.array(z.string())]),
          }),
        )
        .optional(),
    }),
  ),
})

const audit: z.ZodType<OlderAudit> = z.strictObject({
  enabled,
  storage: z.enum(['sqlite', 'postgres', 'webhook']).optional(),
  path: text.optional(),
  dsn: text.optional(),
  webhookUrl: text.optional(),
  retentionDays: count.optional(),
  hashChain: z.boolean().optional(),
  export: z
    .strictObject({
      type: z.enum(['s3', 'webhook', 'file']),
      destination: text,
      format: z.enum(['jsonl', 'csv']),
      intervalMs: count.optional(),
      batchSize: count.optional(),
    })
    .optional(),
})

export const olderShape: z.ZodType<OlderShape> = z.strictObject({
  host: text.optional(),
  port: z.number().int().min(0).max(65_535).optional(),
  auth: auth.optional(),
  servers: z.array(server).optional(),
  policies: z.array(policy).optional(),
  audit: audit.optional(),
  metering: z
    .strictObject({ enabled, dimensions: z.array(z.enum(['calls', 'latency', 'errors'])).optional(), flushIntervalMs: count.optional() })
    .optional(),
  rateLimit: z.strictObject({ enabled, defaultPerMinute: count.optional(), burstMultiplier: z.number().positive().optional() }).optional(),
})
