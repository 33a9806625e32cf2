// The settings of the exports, checked strictly at the start.
import { z } from 'zod'
import { findFault, SYSLOG, WEB } from '../addresses.ts'
import { duration, timeout } from '../duration.ts'
import { describeKinds, type Shape } from '../kinds.ts'
import { findS3Fault, type S3Config, s3ConfigOf, s3Shape } from '../s3-settings.ts'
import { forms } from './forms.ts'

/** Where to. */
export type Receiver =
  | {
      readonly kind: 'webhook'
      readonly url: string
      readonly headers: Readonly<Record<string, string>>
      readonly secret: string | undefined
      /** ms that an answer may take. */
      readonly timeout: number
    }
  | { readonly kind: 'file'; readonly path: string }
  | ({ readonly kind: 'syslog' } & SyslogReceiver)
  | { readonly kind: 'otlp'; readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly timeout: number }
  | ({
      readonly kind: 's3'
      /** ms for which records are gathered into an object. */
      readonly every: number
    } & S3Config)

export interface ExportConfig {
  /** Under which its cursor is kept. */
  readonly name: string
  readonly receiver: Receiver
  readonly form: (typeof forms)[number]
  /** Undefined: all types. */
  readonly records: readonly string[] | undefined
  readonly names: boolean
  readonly contents: boolean
}

// Other types have a dot in them, and plugins may add some.
const PLAIN_TYPES: ReadonlySet<string> = new Set(['intent', 'outcome', 'refusal', 'erasure'])
const type = z
  .string()
  .min(1)
  .refine(
    name => name.includes('.') || PLAIN_TYPES.has(name),
    `expected a type of record, such as ${[...PLAIN_TYPES].join(', ')} or refusal.repeated`,
  )

/** What every export has. */
const each = {
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'expected lower case letters, digits and dashes, 32 at most')
    .optional(),
  form: z.enum(forms).default('mcpgw'),
  records: z.union([z.literal('all'), z.array(type).min(1)]).default('all'),
  names: z.boolean().default(true),
  contents: z.boolean().default(false),
}
const web = { headers: z.record(z.string(), z.string()).default({}), timeout, insecure: z.boolean().default(false) }

/** By their numbers in syslog. */
const FACILITIES = {
  user: 1,
  daemon: 3,
  auth: 4,
  authpriv: 10,
  audit: 13,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
} as const
const facilities = Object.keys(FACILITIES) as (keyof typeof FACILITIES)[]

/** Of a receiver of syslog, be it for an export or for an anchor. */
export interface SyslogGiven {
  readonly syslog: string
  readonly ca: string | undefined
  readonly facility: keyof typeof FACILITIES
  readonly timeout: number
  readonly insecure: boolean
}
export const syslogShape: Shape<SyslogGiven> = {
  syslog: z.string(),
  ca: z.string().min(1).optional(),
  facility: z.enum(facilities).default('audit'),
  timeout,
  insecure: z.boolean().default(false),
}
const every = duration.pipe(z.number().min(1000, 'expected at least 1 s').max(3_600_000, 'expected at most 1 h')).default(60_000)

const one = z.union(
  [
    z.strictObject({ webhook: z.string(), ...web, secret: z.string().min(16, 'expected at least 16 characters').optional(), ...each }),
    z.strictObject({ file: z.string().min(1), ...each }),
    z.strictObject({ ...syslogShape, ...each }),
    z.strictObject({ otlp: z.string(), ...web, ...each }),
    z.strictObject({ ...s3Shape, every, ...each }),
  ],
  { error: describeKinds(['webhook', 'file', 'syslog', 'otlp', 's3']) },
)
type Given = z.output<typeof one>

export const exportList: z.ZodType<readonly ExportConfig[], unknown> = z
  .array(one)
  .max(16)
  .default([])
  .transform((list, ctx) => {
    const names = new Set<string>()
    return list.map((given, at) => {
      const read = readOne(given)
      const problem = findProblem(given, read, names)
      if (problem !== undefined) ctx.addIssue({ code: 'custom', path: [at], message: problem })
      names.add(read.name)
      return read
    })
  })

function readOne(given: Given): ExportConfig {
  const { form, names, contents } = given
  const receiver = receiverOf(given)
  return {
    name: given.name ?? receiver.kind,
    receiver,
    form,
    records: given.records === 'all' ? undefined : given.records,
    names,
    contents,
  }
}

function receiverOf(given: Given): Receiver {
  if ('webhook' in given)
    return { kind: 'webhook', url: given.webhook, headers: given.headers, secret: given.secret, timeout: given.timeout }
  if ('otlp' in given) return { kind: 'otlp', url: given.otlp, headers: given.headers, timeout: given.timeout }
  if ('syslog' in given) return { kind: 'syslog', ...syslogOf(given) }
  if ('s3' in given) return { kind: 's3', every: given.every, ...s3ConfigOf(given) }
  return { kind: 'file', path: given.file }
}

export interface SyslogReceiver {
  readonly url: string
  readonly ca: string | undefined
  readonly facility: number
  readonly timeout: number
}

export function syslogOf({ syslog, ca, facility, timeout: ms }: SyslogGiven): SyslogReceiver {
  return { url: syslog, ca, facility: FACILITIES[facility], timeout: ms }
}

function findProblem(given: Given, { name, form, records }: ExportConfig, names: ReadonlySet<string>): string | undefined {
  if (names.has(name)) return `there are two exports called ${name}: give them names`
  if (form === 'evidence' && (records !== undefined || given.contents))
    return 'form evidence: is every record as it is stored, so that it verifies; leave out records and contents'
  if ('webhook' in given) return findFault(given.webhook, WEB, given.insecure)
  if ('otlp' in given) return findFault(given.otlp, WEB, given.insecure)
  if ('s3' in given) return findS3Fault(given)
  return 'syslog' in given ? findFault(given.syslog, SYSLOG, given.insecure) : undefined
}
