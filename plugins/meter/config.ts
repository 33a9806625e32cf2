// What the meter plugin can be told in mcpgw.yaml.
import { z } from 'zod'

export interface PriceConfig {
  /** Globs; absent: any. */
  readonly server?: string | undefined
  readonly tool?: string | undefined
  readonly tenant?: string | undefined
  /** Thousandths of a unit. */
  readonly units: number
  readonly per: 'call' | 'kb' | 'second'
  readonly toolErrors: 'charged' | 'free'
}

export interface BudgetConfig {
  /** Globs; each consumer or tenant that one matches has the budget for himself. */
  readonly tenant?: string | undefined
  readonly consumer?: string | undefined
  readonly period: 'day' | 'month'
  readonly calls?: number | undefined
  /** Thousandths of a unit. */
  readonly units?: number | undefined
  /** Per cent. */
  readonly warnAt: number
}

export interface MeterConfig {
  /** SQLite file, relative to the data directory; unused where the gateway has a PostgreSQL database. */
  readonly path: string
  readonly window: 'hour' | 'day'
  /** Days that windows are kept; absent: for ever. */
  readonly keep?: number | undefined
  /** The first that matches counts. */
  readonly prices: readonly PriceConfig[]
  /** Thousandths of a unit for what no price matches. */
  readonly defaultPrice: number
  readonly budgets: readonly BudgetConfig[]
}

const MOST_UNITS = 1_000_000

/** Up to three decimals, so that sums are exact: kept as whole thousandths. */
const unitsUpTo = (most: number) =>
  z
    .number()
    .min(0, 'expected 0 or more')
    .max(most, `expected at most ${most}`)
    .refine(value => Math.round(value * 1000) / 1000 === value, 'expected at most three decimals, for sums have to be exact')
    .transform(value => Math.round(value * 1000))
const units = unitsUpTo(MOST_UNITS)
const glob = z.string().min(1).max(1000)

const price = z.strictObject({
  server: glob.optional(),
  tool: glob.optional().describe('A tool or prompt, or `resources/read`.'),
  tenant: glob.optional(),
  units: units.describe('Cost units, with up to three decimals.'),
  per: z
    .enum(['call', 'kb', 'second'])
    .default('call')
    .describe('kb: of arguments and result, 1024 bytes. second: of the time that the server took.'),
  toolErrors: z.enum(['charged', 'free']).default('charged').describe('free: a call that the tool itself calls an error costs nothing.'),
})

const budget = z
  .strictObject({
    tenant: glob.optional(),
    consumer: glob.optional(),
    period: z.enum(['day', 'month']).describe('In UTC.'),
    calls: z.int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
    units: unitsUpTo(1e12).optional(),
    warnAt: z.number().min(1).max(100).default(80).describe('Per cent at which health says so.'),
  })
  .refine(({ tenant, consumer }) => tenant !== undefined || consumer !== undefined, 'expected tenant or consumer: whose budget it is')
  .refine(({ calls, units: most }) => (calls === undefined) !== (most === undefined), 'expected either calls or units')

export const config: z.ZodType<MeterConfig, unknown> = z.strictObject({
  path: z.string().min(1).default('usage.db').describe('SQLite file in the data directory; unused where store.url names a database.'),
  window: z.enum(['hour', 'day']).default('hour').describe('How finely usage is kept, in UTC.'),
  keep: z.int().min(1).max(36_500).optional().describe('Days that usage is kept; without it for ever.'),
  prices: z.array(price).max(10_000).default([]).describe('Cost units by tool and tenant; the first that matches counts.'),
  defaultPrice: units.default(0).describe('Cost units of a call that no price matches.'),
  budgets: z.array(budget).max(1000).default([]).describe('Calls or units that a tenant or consumer may use in a period.'),
})
