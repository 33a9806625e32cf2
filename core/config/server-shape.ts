// What may stand in one entry of `servers`.
import * as z from 'zod'
import type { AboutShape } from './about.ts'
import { aboutFields } from './about-shape.ts'
import { auth } from './auth-shape.ts'
import { coded, count, type Duration, duration, tenant, text, url, words } from './fields.ts'
import { headers } from './headers-shape.ts'
import { balance, type InstancesShape, instances } from './instances-shape.ts'
import { type RestShape, restFields } from './rest-shape.ts'
import { type Balance, idPattern, type ServerAuth, type ServerProtocol } from './schema.ts'
import { parseSize } from './size.ts'
import { type OF_VERSIONS, type VersionRouteShape, versionLabel, versionsIn } from './versions-shape.ts'

export interface ServerShape extends RestShape, AboutShape {
  readonly id: string
  readonly name?: string | undefined
  readonly enabled?: boolean | undefined
  readonly shared?: boolean | undefined
  readonly tenants?: readonly string[] | undefined
  readonly protocol?: ServerProtocol | undefined
  readonly timeout?: Duration | Readonly<Partial<Record<'start' | 'call' | 'max' | 'idle', Duration>>> | undefined
  readonly command?: string | undefined
  readonly args?: readonly string[] | undefined
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly cwd?: string | undefined
  readonly isolation?: 'auto' | 'group' | undefined
  readonly limits?: ServerLimitsShape | undefined
  readonly url?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly auth?: ServerAuth | undefined
  readonly instances?: InstancesShape | undefined
  readonly balance?: Balance | undefined
  readonly version?: string | undefined
  readonly versions?: readonly VersionShape[] | undefined
}
export interface VersionShape extends VersionRouteShape, Pick<ServerShape, (typeof OF_VERSIONS)[number]> {}
export interface ServerLimitsShape {
  readonly concurrency?: number | undefined
  readonly queue?: number | undefined
  readonly processes?: number | undefined
  readonly memory?: string | number | undefined
  readonly files?: number | undefined
}

export const serverId: z.ZodType<string> = z
  .string()
  .refine(
    id => idPattern.test(id),
    coded('bad-id', 'not a server id: a letter or digit, then at most 31 of letters, digits, - and _; no __; not "gateway"'),
  )
  .meta({ description: 'Prefix of the names of its tools: ID__TOOL', pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$' })
export const env: z.ZodType<Record<string, string>> = z
  .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'not the name of a variable'), text)
  .meta({ description: 'The whole environment beside PATH, HOME, LANG, TZ and TMPDIR; references to variables and secrets are expanded' })

const timeouts = z.strictObject({
  start: duration.optional().meta({ description: 'To the answer to its first request' }),
  call: duration.optional().meta({ description: 'Of a call; its progress starts it again. 0 = none' }),
  max: duration.optional().meta({ description: 'Of a call, whatever its progress; default 1h, 0 = none' }),
  idle: duration.optional().meta({ description: 'Until a process that nobody uses is stopped; 0 = never' }),
})
const size = z
  .union([z.string(), z.number()])
  .refine(
    value => (parseSize(value) ?? 0) >= 1024 ** 2,
    coded('bad-value', 'not an amount of memory: write 512MiB, 2GiB, or a number of bytes'),
  )
const serverLimits: z.ZodType<ServerLimitsShape> = z.strictObject({
  concurrency: count(0, 100_000).optional().meta({ description: 'Calls under way at once; default 256, 0 = any number' }),
  queue: count(0, 100_000).optional().meta({ description: 'Calls that wait for one of them to end; default 1024, 0 = none waits' }),
  processes: count(1, 1_000_000)
    .optional()
    .meta({ description: 'Processes of one start of a child server that run at once; over it they are killed. Default 128' }),
  memory: size
    .optional()
    .meta({ description: 'Resident memory of all of these together; over it they are killed. Default 4GiB', examples: ['512MiB', '2GiB'] }),
  files: count(16, 1_000_000).optional().meta({ description: 'Open files of each of them; default 4096' }),
})
const ownFields: { readonly [K in keyof Omit<ServerShape, 'versions'>]-?: z.ZodType<ServerShape[K]> } = {
  id: serverId,
  name: words.optional(),
  ...aboutFields,
  enabled: z.boolean().optional().meta({ description: 'false: as if it did not stand here' }),
  shared: z.boolean().optional().meta({ description: 'One process for all principals; only for servers that keep no state' }),
  tenants: z.array(tenant).min(1).optional().meta({
    description: 'Only principals of these tenants know of it; for all where it is left out. Needs a plugin that authenticates',
  }),
  protocol: z.enum(['auto', 'modern', 'legacy', 'sse']).optional().meta({
    description:
      'What it speaks, default auto (found out): modern = 2026-07-28, legacy = older with sessions, sse = HTTP+SSE of 2024-11-05',
  }),
  timeout: z.union([duration, timeouts]).optional().meta({ description: 'Of a call, or {start, call, max, idle}' }),
  limits: serverLimits.optional().meta({ description: 'Of calls, over all connections to this server; and of its processes' }),
  command: words.optional().meta({ description: 'Program to start; a relative path is taken from the folder of this file' }),
  args: z.array(text).optional(),
  env: env.optional(),
  cwd: words.optional().meta({ description: 'Working directory; default: the folder of this file' }),
  isolation: z.enum(['auto', 'group']).optional().meta({
    description: 'auto (default): a PID namespace of its own where the kernel gives one; group: for a server that does not work in one',
  }),
  url: url.optional().meta({ description: 'A remote server (Streamable HTTP) in place of a command' }),
  headers: headers.optional(),
  auth: auth.optional(),
  ...restFields,
  instances: instances.optional(),
  balance: balance.optional(),
  version: versionLabel.optional(),
}
/** Each key of an entry of `servers`. */
export const serverFields: { readonly [K in keyof ServerShape]-?: z.ZodType<ServerShape[K]> } = {
  ...ownFields,
  versions: versionsIn<VersionShape>(ownFields).optional(),
}
export const serverShape: z.ZodType<ServerShape> = z.strictObject(serverFields)
