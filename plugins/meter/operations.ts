// What callers can ask of usage through the gateway itself: the report of the command `usage`, each of its own tenant.
import {
  createTurns,
  defineOperation,
  type JsonObject,
  type Operation,
  type OperationAnswer,
  type Outcomes,
  type PluginContext,
  refuseOtherTenant,
} from 'mcpgw/plugin'
import { z } from 'zod'
import { groupings } from './commands/report.ts'
import type { MeterConfig } from './config.ts'
import { EXPECTED, readPeriod } from './periods.ts'
import type { UsageQuestion, UsageReading } from './reading.ts'

export interface UsageOperations {
  readonly list: readonly Operation[]
  /** Resolves when no report is made any more. */
  close(): Promise<void>
}

/** Processes that read at once, and how many callers wait for one. */
const AT_ONCE = 1
const WAITING = 16
// This file is TypeScript where the sources are run as they are.
const module = new URL(`./reading${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url)

const word = z.string().min(1).max(1000)
const BUSY: OperationAnswer = { kind: 'refused', code: 'unavailable', message: 'many ask for usage now; try again' }
const STOPPED: OperationAnswer = { kind: 'refused', code: 'unavailable', message: 'stopped' }

/** `flush`: counts what has ended until now. */
export function usageOperations(
  { config, clock, apart }: PluginContext<MeterConfig>,
  outcomes: Pick<Outcomes, 'whoIs'>,
  flush: () => Promise<unknown>,
): UsageOperations {
  const turns = createTurns(AT_ONCE, WAITING)
  const answer = (asked: unknown): Promise<unknown> => outcomes.whoIs((asked as UsageQuestion).subjects)
  const usage = defineOperation({
    name: 'usage',
    summary: 'Shows who used what: calls, errors, bytes, cost units and latency.',
    route: 'GET /usage',
    effect: 'reads',
    scope: 'tenant',
    input: z.strictObject({
      consumer: word.optional().describe('only of this caller'),
      by: z.array(z.enum(groupings)).min(1).max(groupings.length).optional().describe('default consumer, of one consumer server and tool'),
      period: z
        .string()
        .refine(text => readPeriod(text, 0) !== undefined, EXPECTED)
        .default('this-month')
        .describe('in UTC: a month (2026-11), a day, days (2026-11-01..2026-11-30), today, this-month or last-month'),
      tenant: word.optional().describe('only of this tenant; for operators'),
    }),
    output: z.object({
      period: z.object({ from: z.string(), to: z.string() }),
      tenant: z.string().optional(),
      consumer: z.string().optional(),
      by: z.array(z.string()),
      rows: z.array(z.looseObject({})),
      total: z.looseObject({}),
    }),
    async perform({ consumer, by, period, tenant: asked }, asker) {
      const refused = refuseOtherTenant(asker, asked)
      if (refused !== undefined) return refused
      const { tenant = asked } = asker
      const columns = [...new Set(by ?? (consumer === undefined ? (['consumer'] as const) : (['server', 'tool'] as const)))]
      const question = { ...readPeriod(period, clock.now())!, by: columns, consumer, tenant }
      const input: UsageReading = { config: { path: config.path }, question }
      const made = await turns.take(asker.signal, async signal => {
        await flush()
        return apart({ module, input, answer, signal })
      })
      if (made === 'stopped') return STOPPED
      return made === 'busy' ? BUSY : { kind: 'done', value: made as JsonObject }
    },
  })
  return { list: [usage], close: turns.close }
}
