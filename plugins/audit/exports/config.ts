// The settings of the exports, checked strictly at the start.
import { z } from 'zod'
import { duration } from '../duration.ts'
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
  | { readonly kind: 'syslog'; readonly url: string; readonly ca: string | undefined; readonly facility: number; readonly timeout: number }
  | { readonly kind: 'otlp'; readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly timeout: number }

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

/** What every export has. */
const each = {
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'expected lower case letters, digits and dashes, 32 at most')
    .optional(),
  form: z.enum(forms).default('mcpgw'),
  records: z.union([z.literal('all'), z.array(z.string().min(1)).min(1)]).default('all'),
  names: z.boolean().default(true),
  contents: z.boolean().default(false),
}
const timeout = duration.pipe(z.number().min(100, 'expected at least 100 ms').max(60_000, 'expected at most 60 s')).default(10_000)
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

const one = z.union(
  [
    z.strictObject({ webhook: z.string(), ...web, secret: z.string().min(16, 'expected at least 16 characters').optional(), ...each }),
    z.strictObject({ file: z.string().min(1), ...each }),
    z.strictObject({
      syslog: z.string(),
      ca: z.string().min(1).optional(),
      facility: z.enum(facilities).default('audit'),
      timeout,
      insecure: z.boolean().default(false),
      ...each,
    }),
    z.strictObject({ otlp: z.string(), ...web, ...each }),
  ],
  { error: describeUnion },
)
type Given = z.output<typeof one>

const KINDS = ['webhook', 'file', 'syslog', 'otlp'] as const

/** Of the alternatives only the one that was meant is of interest. */
function describeUnion(issue: { readonly input?: unknown; readonly errors?: unknown }): string {
  const keys = typeof issue.input === 'object' && issue.input !== null ? Object.keys(issue.input) : []
  const meant = KINDS.findIndex(kind => keys.includes(kind))
  const found = (issue.errors as readonly (readonly { path: PropertyKey[]; message: string }[])[] | undefined)?.[meant]
  if (found === undefined) return `expected one of ${KINDS.join(', ')}`
  return found.map(({ path, message }) => [...path.map(String), message].join(': ')).join('; ')
}

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
  if ('syslog' in given)
    return { kind: 'syslog', url: given.syslog, ca: given.ca, facility: FACILITIES[given.facility], timeout: given.timeout }
  return { kind: 'file', path: given.file }
}

function findProblem(given: Given, { name, form, records }: ExportConfig, names: ReadonlySet<string>): string | undefined {
  if (names.has(name)) return `there are two exports called ${name}: give them names`
  if (form === 'evidence' && (records !== undefined || given.contents))
    return 'form evidence: is every record as it is stored, so that it verifies; leave out records and contents'
  if ('webhook' in given) return findFault(given.webhook, WEB, given.insecure)
  if ('otlp' in given) return findFault(given.otlp, WEB, given.insecure)
  return 'syslog' in given ? findFault(given.syslog, SYSLOG, given.insecure) : undefined
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** A way that is encrypted, and one that is not. */
type Ways = readonly [string, string]
const WEB: Ways = ['https:', 'http:']
const SYSLOG: Ways = ['tls:', 'tcp:']

function findFault(text: string, [safe, open]: Ways, insecure: boolean): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.hostname === '' || (url.protocol !== safe && url.protocol !== open))
    return `expected an address with ${safe}//`
  if (url.username !== '' || url.password !== '') return 'expected an address without a password in it; credentials go into headers'
  return url.protocol === safe || insecure || LOOPBACK.test(url.hostname)
    ? undefined
    : `expected ${safe}//; where the way there is safe by other means, say insecure: true`
}
