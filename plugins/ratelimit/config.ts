// What the ratelimit plugin can be told in mcpgw.yaml.
import { type DurationForm, readDuration } from 'mcpgw/plugin'
import { z } from 'zod'
import { type Per, pers } from './whose.ts'

export const kinds = ['call', 'read', 'prompt', 'method', 'list', 'plumbing'] as const
export type Kind = (typeof kinds)[number]

/** Patterns of names, `*` for any text; what is left out fits all. */
export interface Match {
  readonly roles?: readonly string[] | undefined
  readonly tenants?: readonly string[] | undefined
  readonly servers?: readonly string[] | undefined
  readonly tools?: readonly string[] | undefined
  readonly kinds: readonly Kind[]
}

export interface Cost extends Pick<Match, 'servers' | 'tools'> {
  readonly cost: number
}

export interface LimitConfig {
  readonly name: string
  /** Requests count together where all of these are equal. */
  readonly per: readonly Per[]
  readonly match: Match
  readonly most?: number | undefined
  /** Milliseconds. */
  readonly window: number
  readonly burst?: number | undefined
  readonly atOnce?: number | undefined
  readonly costs: readonly Cost[]
}

export interface RatelimitConfig {
  /** Requests a minute of each principal; absent: only `limits` and those of policies hold. */
  readonly defaultPerMinute?: number | undefined
  /** So many times as much may come at once. */
  readonly burstMultiplier: number
  /** By key id, in place of the default. */
  readonly keys: Readonly<Record<string, number>>
  readonly limits: readonly LimitConfig[]
}

const longestMs = 31 * 86_400_000
/** Also in policies, where they may be longer. */
export const spans: DurationForm = { units: ['s', 'm', 'h', 'd'] }
const perMinute = z.int().min(1).max(1_000_000)
const amount = z.int().min(1).max(1_000_000)
const patterns = z.array(z.string().min(1)).min(1).optional()
const span = z.string().transform((text, ctx) => {
  const ms = readDuration(text, { ...spans, most: longestMs })
  if (ms !== undefined) return ms
  ctx.addIssue({ code: 'custom', message: `expected a span of 1s to 31d such as "1m" or "1h30m", found ${JSON.stringify(text)}` })
  return z.NEVER
})

const match = z.strictObject({
  roles: patterns.describe('One of the roles of the principal.'),
  tenants: patterns,
  servers: patterns,
  tools: patterns.describe('Then only calls of tools are meant.'),
  kinds: z
    .array(z.enum(kinds))
    .min(1)
    .default(['call', 'read', 'prompt', 'method'])
    .describe('What is asked for; lists only where they are named.'),
})

const cost = z.strictObject({ servers: patterns, tools: patterns, cost: amount })

const limit = z
  .strictObject({
    name: z
      .string()
      .regex(/^[\w.-]{1,64}$/, 'expected letters, digits, dots and dashes')
      .describe('For log and record.'),
    per: z
      .union([z.enum(pers).transform(one => [one]), z.array(z.enum(pers)).min(1)], {
        error: `expected one of ${pers.join(', ')}, or a list of them`,
      })
      .default(['principal'])
      .describe('Whose requests count together; several: where all of them are equal.'),
    match: match.prefault({}).describe('Which requests count.'),
    most: amount.optional().describe('So many within any `window`.'),
    window: span.default(60_000).describe('It slides.'),
    burst: amount.optional().describe('So many may come at once, the others evenly.'),
    atOnce: amount.optional().describe('So many may be under way at a time.'),
    costs: z.array(cost).default([]).describe('What counts for more than one; the dearest that fits holds.'),
  })
  .superRefine(({ most, burst, atOnce, costs }, ctx) => {
    const tell = (message: string, ...path: (string | number)[]): void => ctx.addIssue({ code: 'custom', message, path })
    if (most === undefined && atOnce === undefined) tell('expected most or atOnce, found neither')
    if (most === undefined && burst !== undefined) tell('expected most beside burst, found none', 'burst')
    if (most === undefined && costs.length > 0) tell('expected most beside costs, found none', 'costs')
    if (most !== undefined && burst !== undefined && burst > most) tell(`expected at most ${most} as in most, found ${burst}`, 'burst')
    const room = Math.min(most ?? Number.POSITIVE_INFINITY, burst ?? Number.POSITIVE_INFINITY)
    // Such a request would be refused for ever, with a time after which it may succeed.
    for (const [index, { cost }] of costs.entries())
      if (cost > room) tell(`expected at most ${room}, all that the limit ever allows, found ${cost}`, 'costs', index, 'cost')
  })

const limits = z.array(limit).superRefine((all, ctx) => {
  const names = all.map(({ name }) => name)
  for (const [index, name] of names.entries())
    if (names.indexOf(name) < index)
      ctx.addIssue({ code: 'custom', message: `expected a name of its own, found "${name}" twice`, path: [index, 'name'] })
})

export const config: z.ZodType<RatelimitConfig, unknown> = z.strictObject({
  defaultPerMinute: perMinute
    .optional()
    .describe('Requests a minute of each principal. Without it only `limits` and those of policies hold.'),
  burstMultiplier: z.number().positive().max(1000).default(1).describe('So many times the requests of a minute may come at once.'),
  keys: z.record(z.string(), perMinute).default({}).describe('Requests a minute by the id of an API key, in place of the default.'),
  limits: limits.default([]).describe('Further limits. A request must have a place in each that it fits.'),
})
