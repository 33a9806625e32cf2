// What the cache plugin can be told in mcpgw.yaml.
import { type DurationUnit, readDuration, writeDuration } from 'mcpgw/plugin'
import { z } from 'zod'

/** For whom an answer is kept: all of a tenant with the same rights, one principal, one session of a principal. */
export const scopes = ['rights', 'principal', 'session'] as const
export type Scope = (typeof scopes)[number]

/** What a rule is about: exactly one of these is set. Patterns of `server/name`, `*` for any text. */
export const subjects = ['tools', 'readOnlyTools', 'resources', 'prompts'] as const
export type Subject = (typeof subjects)[number]

export interface RuleConfig extends Readonly<Partial<Record<Subject, readonly string[] | undefined>>> {
  /** Milliseconds; 0: never kept. */
  readonly ttl: number
  readonly scope: Scope
  /** Milliseconds that errors are kept; absent: they are not. */
  readonly negative?: number | undefined
  /** Milliseconds after its end in which an answer stands in for a server that cannot be reached. */
  readonly staleIfError?: number | undefined
  /** Milliseconds that an equal call waits for the one that is under way. */
  readonly together?: number | undefined
  /** Larger results are not kept. */
  readonly maxResultBytes: number
}

export interface CacheConfig {
  /** The first that fits holds. */
  readonly rules: readonly RuleConfig[]
  readonly maxEntries: number
  readonly maxBytes: number
}

export const units: readonly DurationUnit[] = ['ms', 's', 'm', 'h', 'd']
const dayMs = 86_400_000
/** A hook has five seconds, of which the others need some. */
const longestWaitMs = 4000

const span = (longest: number) =>
  z.string().transform((text, ctx) => {
    const ms = readDuration(text, { units, digits: 9, most: longest })
    if (ms !== undefined) return ms
    const message = `expected a span of up to ${writeDuration(longest, units)} such as "30s" or "5m", found ${JSON.stringify(text)}`
    ctx.addIssue({ code: 'custom', message })
    return z.NEVER
  })

const pattern = z.string().regex(/^[^/]+\/./, 'expected SERVER/NAME, with * for any text, such as "files/read_*"')
const patterns = z.union([pattern.transform(one => [one]), z.array(pattern).min(1)], {
  error: 'expected SERVER/NAME, with * for any text, such as "files/read_*", or a list of them',
})

const rule = z
  .strictObject({
    tools: patterns.optional().describe('Tools that only read, whatever their server says of them.'),
    readOnlyTools: patterns.optional().describe('Those of these tools that their server marks as read-only (`readOnlyHint`).'),
    resources: patterns.optional().describe('resources/read, by SERVER/URI.'),
    prompts: patterns.optional().describe('prompts/get.'),
    ttl: z
      .union([z.literal('never').transform(() => 0), span(dayMs)], { error: 'expected "never" or a span of up to 1d such as "30s"' })
      .describe('How long an answer is given again; never: what fits here is not kept. A server that says less (`ttlMs`) is believed.'),
    scope: z
      .enum(scopes)
      .default('principal')
      .describe('For whom it is kept: all of the tenant with the same rights, this principal, this session of his.'),
    negative: span(dayMs).optional().describe('How long errors are kept, of the tool and of the server. Left out: never.'),
    staleIfError: span(dayMs).optional().describe('So long after its end an answer stands in for a server that cannot be reached.'),
    together: span(longestWaitMs).optional().describe('So long an equal call waits for the answer of the one that is under way.'),
    maxResultBytes: z
      .int()
      .min(1)
      .max(16 * 1024 * 1024)
      .default(256 * 1024)
      .describe('Larger results are not kept.'),
  })
  .superRefine((given, ctx) => {
    const named = subjects.filter(subject => given[subject] !== undefined)
    if (named.length !== 1)
      ctx.addIssue({
        code: 'custom',
        message: `expected one of ${subjects.join(', ')}, found ${named.length === 0 ? 'none' : named.join(' and ')}`,
      })
    if (given.ttl !== 0) return
    for (const name of ['negative', 'staleIfError', 'together'] as const)
      if (given[name] !== undefined) ctx.addIssue({ code: 'custom', message: 'expected none beside ttl: never', path: [name] })
  })

export const config: z.ZodType<CacheConfig, unknown> = z.strictObject({
  rules: z.array(rule).default([]).describe('What is kept; the first that fits holds. What none fits is never kept.'),
  maxEntries: z.int().min(1).max(1_000_000).default(10_000).describe('More answers push out those that were not asked for longest.'),
  maxBytes: z
    .int()
    .min(1024)
    .max(16 * 1024 ** 3)
    .default(64 * 1024 * 1024)
    .describe('Memory for all of them, likewise.'),
})
