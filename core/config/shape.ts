// What may stand in mcpgw.yaml: the one schema that checks the file and that editors get as JSON Schema.
import * as z from 'zod'
import { readRanges } from '../plugin/addresses.ts'
import { isPostgresUrl } from './database-url.ts'
import { coded, count, type Duration, duration, tenant, words } from './fields.ts'
import { parseAddress } from './listen.ts'
import { isRedisUrl } from './redis-url.ts'
import { type RegistrationShape, registrationShape } from './registration-shape.ts'
import type { LogLevel } from './schema.ts'
import { type ServerShape, serverShape } from './server-shape.ts'
import { type TelemetryShape, telemetryShape } from './telemetry-shape.ts'
import { type TlsShape, tlsShape } from './tls-shape.ts'

export interface FileShape {
  readonly listen?: string | number | ListenShape | undefined
  readonly servers?: readonly ServerShape[] | undefined
  readonly plugins?: readonly (string | Readonly<Record<string, unknown>>)[] | undefined
  readonly policies?: readonly string[] | undefined
  readonly store?: { readonly dir?: string | undefined; readonly url?: string | undefined; readonly redis?: string | undefined } | undefined
  readonly secrets?: { readonly command?: readonly string[] | undefined } | undefined
  readonly limits?: LimitsShape | undefined
  readonly names?: 'qualified' | 'bare' | undefined
  readonly refusals?: 'result' | 'error' | undefined
  readonly log?: LogLevel | undefined
  readonly metrics?: { readonly token?: string | undefined } | undefined
  readonly telemetry?: TelemetryShape | undefined
  readonly gateway?: { readonly tools: readonly string[]; readonly operators?: readonly string[] | undefined } | undefined
  readonly registration?: RegistrationShape | undefined
}
export interface LimitsShape extends Readonly<Partial<Record<'messageBytes' | 'depth' | 'keys' | 'hookMs', number | undefined>>> {
  readonly overload?: { readonly lag?: Duration; readonly heap?: number | undefined; readonly pending?: number | undefined } | undefined
}
export interface ListenShape {
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly hosts?: readonly string[] | undefined
  readonly origins?: readonly string[] | undefined
  readonly trustedProxies?: readonly string[] | undefined
  readonly proxyProtocol?: boolean | undefined
  readonly connections?: { readonly total?: number | undefined; readonly perAddress?: number | undefined } | undefined
  readonly tls?: TlsShape | undefined
}
const port = z.number().int().min(0).max(65_535)

// The message does not show the value: it holds a password.
const databaseUrl: z.ZodType<string> = z
  .string()
  .refine(isPostgresUrl, coded('bad-value', 'not a URL such as postgres://USER@HOST:5432/DATABASE'))
  .meta({ format: 'uri', examples: ['postgres://mcpgw@db.example/mcpgw'] })
const redisUrl: z.ZodType<string> = z
  .string()
  .refine(isRedisUrl, coded('bad-value', 'not a URL such as redis://HOST:6379 or rediss://USER@HOST:6379/0'))
  .meta({ format: 'uri', examples: ['rediss://mcpgw@redis.example'] })
// Shown as `Authorization: Bearer`; nothing counts who guesses, so that it is long. The message does not show the value.
const metricsToken: z.ZodType<string> = z
  .string()
  .refine(
    value => /^[A-Za-z0-9._~+/-]{20,}=*$/.test(value),
    coded('bad-value', 'not a token: expected at least 20 letters, digits and any of - . _ ~ + /'),
  )
  .meta({ examples: ['${secret:metrics-token}'] })

const addressRange = z.string().superRefine((value, ctx) => {
  try {
    readRanges([value])
  } catch (error) {
    ctx.addIssue({ code: 'custom', message: (error as Error).message, params: { code: 'bad-value' } })
  }
})
const hostValue = words.refine(
  value => /^(\[[0-9a-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i.test(value),
  coded('bad-value', 'not a value of Host: expected NAME or NAME:PORT, without wildcards'),
)
// Any page can send "null", from a frame in a sandbox.
const originValue = words.refine(
  value => /^[a-z][a-z0-9+.-]*:\/\/(\[[0-9a-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i.test(value),
  coded('bad-value', "not an origin that is somebody's: expected SCHEME://HOST or SCHEME://HOST:PORT, without wildcards"),
)
const listen = z
  .strictObject({
    host: words.optional(),
    port: port.optional(),
    hosts: z.array(hostValue).optional().meta({ description: 'Further values of Host that are let in' }),
    origins: z.array(originValue).optional().meta({ description: 'Values of Origin that are let in' }),
    trustedProxies: z.array(addressRange).optional().meta({
      description: 'Addresses of proxies, e.g. 10.0.0.0/8: of whoever comes through them, X-Forwarded-For says who it is',
    }),
    proxyProtocol: z.boolean().optional().meta({
      description:
        'Connections of trustedProxies begin with a PROXY protocol header, version 2, which says who it is; without one they are cut',
    }),
    connections: z
      .strictObject({ total: count(1, 1_000_000).optional(), perAddress: count(1, 1_000_000).optional() })
      .optional()
      .meta({ description: 'Open at once, default 10000; from one address (IPv6: one /64) that is no trusted proxy, default 1000' }),
    tls: tlsShape.optional(),
  })
  .refine(({ proxyProtocol, trustedProxies = [] }) => proxyProtocol !== true || trustedProxies.length > 0, {
    ...coded('missing-key', '"proxyProtocol" needs "trustedProxies": a header of anybody else is not believed'),
    path: ['proxyProtocol'],
  })

export const fileShape: z.ZodType<FileShape> = z
  .strictObject({
    listen: z
      .union([z.string().refine(value => parseAddress(value) !== undefined, coded('bad-value', 'not HOST:PORT')), port, listen])
      .optional()
      .meta({ description: 'HOST:PORT, or {host, port, hosts, origins, trustedProxies, proxyProtocol, connections, tls}' }),
    servers: z.array(serverShape).optional(),
    plugins: z
      .array(z.union([words, z.record(z.string(), z.unknown())]))
      .optional()
      .meta({ description: 'In the order in which they see a call: a name, or {name: config}' }),
    policies: z.array(words).optional().meta({ description: 'Paths of .policy files' }),
    store: z.strictObject({ dir: words.optional(), url: databaseUrl.optional(), redis: redisUrl.optional() }).optional().meta({
      description:
        'dir: the data directory, default .mcpgw; url: a PostgreSQL database, redis: a Redis server, for what several gateways share',
    }),
    secrets: z
      .strictObject({ command: z.array(words).min(1).optional() })
      .optional()
      .meta({ description: 'command: prints the secret whose name it gets as last argument' }),
    limits: z
      .strictObject({
        messageBytes: count(1024, 1024 ** 3).optional(),
        depth: count(4, 1000).optional(),
        keys: count(16, 100_000_000).optional(),
        hookMs: count(1, 600_000).optional(),
        overload: z
          .strictObject({ lag: duration.optional(), heap: z.number().min(0.1).max(1).optional(), pending: count(1, 10_000_000).optional() })
          .optional()
          .meta({
            description: 'Refuse new calls where the event loop is so late, so much of the heap is used, or so many calls are under way',
          }),
      })
      .optional(),
    names: z.enum(['qualified', 'bare']).optional().meta({ description: 'Tools as SERVER__TOOL, or bare where that is unique' }),
    refusals: z.enum(['result', 'error']).optional().meta({ description: 'A denied tools/call as a tool result or as a JSON-RPC error' }),
    log: z.enum(['debug', 'info', 'warn', 'error', 'silent']).optional(),
    metrics: z.strictObject({ token: metricsToken.optional() }).optional().meta({
      description: 'token: the bearer token that /metrics wants of everybody; without one only this machine may read it',
    }),
    telemetry: telemetryShape.optional(),
    gateway: z
      .strictObject({
        tools: z
          .array(words)
          .min(1)
          .meta({ description: 'Names of its tools, or patterns with *', examples: [['list_tools', 'call', 'audit_*']] }),
        operators: z
          .array(tenant)
          .optional()
          .meta({ description: 'Tenants whose principals see and change what is there for all tenants' }),
      })
      .optional()
      .meta({ description: 'What the gateway offers of itself, as the server "gateway" and over HTTP; nothing where it is left out' }),
    registration: registrationShape.optional(),
  })
  .meta({ title: 'mcpgw.yaml' })
