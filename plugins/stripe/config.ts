// The plugin's settings, checked strictly at the start.
import { z } from 'zod'

/** What a meter counts: calls, whole units of the price table, or thousandths of a unit. */
export type Quantity = 'calls' | 'units' | 'thousandths'

export interface MeterRule {
  /** `event_name` of a meter in Stripe whose formula is a sum. */
  readonly event: string
  readonly of: Quantity
  /** Globs; absent: any. */
  readonly server?: string | undefined
  readonly tool?: string | undefined
}

export interface StripeConfig {
  /** SQLite file, relative to the data directory; unused where the gateway has a PostgreSQL database. */
  readonly path: string
  readonly apiKey?: string | undefined
  readonly api: 'v1' | 'v2'
  /** Of a server that stands in for Stripe, on this machine. */
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly protocol: 'https' | 'http'
  readonly meters: readonly MeterRule[]
  /** Customer ids of Stripe by tenant. */
  readonly customers: Readonly<Record<string, string>>
  readonly unknownCustomer: 'hold' | 'ignore'
  /** ms after the end of a window until it is billed. */
  readonly grace: number
  /** ms since 1970: what was used before is not billed. */
  readonly since?: number | undefined
  readonly dryRun: boolean
  readonly alarm: {
    /** ms that the oldest unbilled window may be due. */
    readonly age: number
    /** Lines in the outbox that are not done with; beyond, no more is taken in. */
    readonly lines: number
  }
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 }
const duration = z
  .string()
  .regex(/^\d{1,6}(s|m|h)$/, 'expected a duration such as "10m" or "6h"')
  .transform(text => Number(text.slice(0, -1)) * UNITS[text.at(-1)!]!)

const glob = z.string().min(1).max(1000)
const meter = z.strictObject({
  event: z.string().min(1).max(100).describe('`event_name` of a meter in Stripe that sums up.'),
  of: z
    .enum(['calls', 'units', 'thousandths'])
    .default('calls')
    .describe('units: of the prices of the meter plugin, rounded down to whole ones for each window.'),
  server: glob.optional(),
  tool: glob.optional(),
})

/** Calls and units in one meter would bill a call for both. */
function refuseMixed(meters: readonly MeterRule[], ctx: z.RefinementCtx): void {
  for (const [at, { event, of }] of meters.entries()) {
    const first = meters.findIndex(one => one.event === event)
    const other = meters[first]!.of
    if (other === of) continue
    const message = `meters[${first}] counts ${other} into ${event}, and meters[${at}] ${of}: expected the same for one event`
    ctx.addIssue({ code: 'custom', path: [at, 'of'], message })
  }
}

export const config: z.ZodType<StripeConfig, unknown> = z
  .strictObject({
    path: z.string().min(1).default('stripe.db').describe('SQLite file in the data directory; unused where store.url names a database.'),
    apiKey: z.string().min(1).optional().describe('A restricted key, as ${secret:NAME}: it writes meter events and reads meters.'),
    api: z.enum(['v1', 'v2']).default('v1').describe('v1: one event a request. v2: the stream of meter events, 100 a request.'),
    host: z.enum(['127.0.0.1', '::1', 'localhost']).optional().describe('For tests: a server on this machine that stands in for Stripe.'),
    port: z.int().min(1).max(65_535).optional(),
    protocol: z.enum(['https', 'http']).default('https'),
    meters: z
      .array(meter)
      .min(1, 'expected at least one meter')
      .max(100)
      .superRefine(refuseMixed)
      .describe('What is counted into which meter; a call may count in several, and once in each, however many entries of it fit.'),
    customers: z
      .record(z.string().min(1), z.string().regex(/^cus_\w+$/, 'expected the id of a customer, such as cus_NciAYcXfLnqBoz'))
      .default({})
      .describe('Customer ids of Stripe by tenant.'),
    unknownCustomer: z
      .enum(['hold', 'ignore'])
      .default('hold')
      .describe('hold: kept and reported until the tenant has a customer. ignore: never billed.'),
    grace: duration.default(600_000).describe('How long after the end of a window it is billed: late calls still come in.'),
    since: z.iso
      .date()
      .transform(date => Date.parse(date))
      .optional()
      .describe('A date in UTC: what was used before is not billed. Default: when the plugin first ran.'),
    dryRun: z.boolean().default(false).describe('Keeps account of what would be billed, and sends nothing.'),
    alarm: z
      .strictObject({
        age: duration.default(6 * 3_600_000).describe('Health is degraded where usage waits longer than this to be billed.'),
        lines: z.int().min(10).max(1_000_000).default(100_000).describe('Most lines that may wait; health is degraded at 80 %.'),
      })
      .default({ age: 6 * 3_600_000, lines: 100_000 }),
  })
  .refine(({ apiKey, dryRun }) => dryRun || apiKey !== undefined, {
    path: ['apiKey'],
    message: 'expected the key, as ${secret:NAME}, or dryRun: true',
  })
  .refine(({ host, protocol }) => host !== undefined || protocol === 'https', {
    path: ['protocol'],
    message: 'http is only for a host on this machine',
  })
