// What operators can ask of billing through the gateway itself: how it stands.
import { createTurns, defineOperation, type JsonObject, type Operation, type OperationAnswer, type PluginContext } from 'mcpgw/plugin'
import { z } from 'zod'
import type { StripeConfig } from './config.ts'
import type { StatusReading } from './reading.ts'
import type { Reporter } from './report.ts'
import { standings } from './standing.ts'
import { describeStatus, type StatusFacts } from './status.ts'

export interface StripeOperations {
  readonly list: readonly Operation[]
  /** Resolves when nothing is read any more. */
  close(): Promise<void>
}

/** Processes that read at once, and how many callers wait for one. */
const AT_ONCE = 1
const WAITING = 16
// This file is TypeScript where the sources are run as they are.
const module = new URL(`./reading${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url)

const BUSY: OperationAnswer = { kind: 'refused', code: 'unavailable', message: 'many ask how billing stands now; try again' }
const STOPPED: OperationAnswer = { kind: 'refused', code: 'unavailable', message: 'stopped' }

export function stripeOperations(
  { config, apart, scrub }: Pick<PluginContext<StripeConfig>, 'config' | 'apart' | 'scrub'>,
  reporter: Pick<Reporter, 'live'>,
): StripeOperations {
  const turns = createTurns(AT_ONCE, WAITING)
  const { path, since, meters, customers, alarm, dryRun } = config
  const input: StatusReading = { config: { path, since, meters, customers, alarm, dryRun } }
  const status = defineOperation({
    name: 'stripe_status',
    summary:
      'Shows how billing stands: what waits and since when, what is held or needs a word, the last success and failure, and whether the ledger agrees with usage.',
    route: 'GET /stripe',
    effect: 'reads',
    // Tenants are in it side by side.
    scope: 'gateway',
    input: z.strictObject({}),
    output: z.object({
      outbox: z.string().nullable(),
      dryRun: z.boolean(),
      bills: z.boolean().describe('whether it is this gateway that bills, of those that share the outbox'),
      since: z.string().nullable(),
      backlogLines: z.int().describe('to be sent'),
      backlogSeconds: z.int().describe('that the oldest of them has waited since its window ended'),
      lastSuccess: z.string().nullable(),
      lastFailure: z.object({ at: z.string().nullable(), why: z.string() }).nullable(),
      lines: z
        .partialRecord(z.enum(standings), z.object({ lines: z.int(), due: z.number() }))
        .describe('not done with, by how they stand; due: what is used and not billed'),
      ledger: z.object({ from: z.string(), to: z.string(), agrees: z.boolean(), differences: z.array(z.string()) }).nullable(),
      conditions: z.array(z.string()).describe('what needs attention'),
    }),
    async perform(_input, { signal }) {
      const facts = await turns.take(signal, taken => apart({ module, input, answer: async () => undefined, signal: taken }))
      if (facts === 'stopped') return STOPPED
      if (facts === 'busy') return BUSY
      const live = reporter.live()
      const made = { ...describeStatus(facts as StatusFacts | undefined, config, live), bills: live.bills }
      // Stripe's own words are in it.
      return { kind: 'done', value: JSON.parse(scrub(JSON.stringify(made))) as JsonObject }
    },
  })
  return { list: [status], close: turns.close }
}
