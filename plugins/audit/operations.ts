// What callers can ask of the log through the gateway itself: records, figures and whether it is sound. Each reading is on record before it is answered.
import {
  type AdminEvent,
  type Asker,
  createTurns,
  defineOperation,
  type JsonObject,
  type Operation,
  type OperationAnswer,
  type PluginContext,
  refuseOtherTenant,
} from 'mcpgw/plugin'
import { z } from 'zod'
import { EXPECTED_TIME, readTime } from './commands/read.ts'
import type { AuditConfig } from './config.ts'
import type { Reading, ReadingAnswer, ReadingQuestion } from './reading.ts'

export interface AuditOperations {
  readonly list: readonly Operation[]
  /** Resolves when no reading is at work any more. */
  close(): Promise<void>
}

/** Processes that read at once, and how many callers wait for one. */
const AT_ONCE = 2
const WAITING = 16
// This file is TypeScript where the sources are run as they are.
const module = new URL(`./reading${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url)

const word = z.string().min(1).max(1000)
const time = word.refine(text => readTime(text, 0) !== null, EXPECTED_TIME)
const filters = {
  tenant: word.optional().describe('only of this tenant; for operators'),
  consumer: word.optional().describe('only of this caller'),
  server: word.optional().describe('only of this server, or with ID@VERSION of that version'),
  tool: word.optional().describe('only of this tool, prompt or uri'),
  status: z
    .enum([
      'answered',
      'input-required',
      'tool-error',
      'upstream-error',
      'timeout',
      'cancelled',
      'crashed',
      'withheld',
      'unknown',
      'refused',
      'open',
    ])
    .optional(),
  decision: z.enum(['allow', 'deny']).optional(),
  type: word.optional().describe('only records of this type, such as key.create or log.read'),
  text: word.optional().describe('only with all of these words in the reason, the rules or the error code'),
  since: time.optional().describe('from this time on: 2026-11-21T10:00Z, or 15m, 2h, 7d ago'),
  until: time.optional().describe('up to this time'),
}
const latency = z.object({ p50: z.number().nullable(), p95: z.number().nullable(), p99: z.number().nullable() })
const figures = { calls: z.int(), errors: z.int(), refused: z.int(), latencyMs: latency }
const groups = z.array(z.object({ name: z.string(), ...figures }))
const BUSY: OperationAnswer = { kind: 'refused', code: 'unavailable', message: 'the log is read by many now; try again' }
const STOPPED: OperationAnswer = { kind: 'refused', code: 'unavailable', message: 'stopped' }
const UNREADABLE: OperationAnswer = {
  kind: 'refused',
  code: 'unavailable',
  message: 'the log cannot be read now; the log of the gateway says why',
}

type Given = Readonly<Record<string, string | boolean | undefined>> & { readonly tenant?: string | undefined }

export function auditOperations(ctx: PluginContext<AuditConfig>, record: (event: AdminEvent) => Promise<void>): AuditOperations {
  const { config, log } = ctx
  const turns = createTurns(AT_ONCE, WAITING)

  async function read(verb: Reading['verb'], given: Given, contents: boolean, asker: Asker): Promise<OperationAnswer> {
    const { tenant } = asker
    const refused = refuseOtherTenant(asker, given.tenant)
    if (refused !== undefined) return refused
    const options = tenant === undefined ? given : { ...given, ...(verb !== 'verify' && { tenant }) }
    const input: Reading = { verb, config, options, whole: tenant === undefined, contents }
    let isRecorded = false
    const answer = async (question: unknown): Promise<boolean> => {
      await record(eventOf((question as ReadingQuestion).record, asker))
      isRecorded = true
      return true
    }
    const done = await turns.take(asker.signal, signal => ctx.apart({ module, input, answer, signal }))
    if (done === 'stopped') return STOPPED
    return done === 'busy' ? BUSY : answerOf(done as ReadingAnswer, isRecorded)
  }

  function answerOf({ code, document, why }: ReadingAnswer, isRecorded: boolean): OperationAnswer {
    if (code === 2) return { kind: 'refused', code: 'invalid-arguments', message: 'expected `start`, or what `next` said', field: 'after' }
    if (code !== 3 && document !== undefined && isRecorded) return { kind: 'done', value: document }
    log.warn('the audit log could not be read for a caller', { why: why === '' ? 'the reading could not be put on record' : why })
    return UNREADABLE
  }

  const list = [
    defineOperation({
      name: 'audit_log',
      summary: 'Shows records of what was done through the gateway: the newest, or page by page from any place on.',
      route: 'GET /audit/log',
      effect: 'reads',
      scope: 'tenant',
      input: z.strictObject({
        ...filters,
        limit: z.int().min(1).max(200).default(50),
        after: word.optional().describe('oldest first, from there on: `start`, or what the page before said (`next`)'),
        intents: z.boolean().optional().describe('also the intents, which are else left out'),
        all: z.boolean().optional().describe('also the intents, and what the log says of itself: its streams, checkpoints and readers'),
        contents: z.boolean().optional().describe('also arguments and results, as far as they were recorded'),
      }),
      output: z.object({ records: z.array(z.looseObject({ type: z.string() })), next: z.string().optional() }),
      perform: ({ limit, contents = false, ...given }, asker) => read('log', { ...given, limit: String(limit) }, contents, asker),
    }),
    defineOperation({
      name: 'audit_stats',
      summary: 'Counts calls by outcome, tool and caller, with latencies.',
      route: 'GET /audit/stats',
      effect: 'reads',
      scope: 'tenant',
      input: z.strictObject(filters),
      output: z.object({ ...figures, outcomes: z.record(z.string(), z.int()), tools: groups, consumers: groups }),
      perform: (given, asker) => read('stats', given, false, asker),
    }),
    defineOperation({
      name: 'audit_verify',
      summary: 'Checks every record of the log, and what was signed of them.',
      route: 'GET /audit/verify',
      effect: 'reads',
      scope: 'tenant',
      input: z.strictObject({}),
      output: z.looseObject({
        verdict: z.enum(['proven', 'consistent', 'empty', 'broken', 'stopped']),
        completeness: z.string(),
        upTo: z.string().nullable(),
      }),
      perform: (_, asker) => read('verify', {}, false, asker),
    }),
  ]
  return { list, close: turns.close }
}

/** By whom, and by which call. What a verification found of all tenants is not told among the records of one. */
function eventOf({ type, success, detail }: AdminEvent, { tenant, actor, exchange }: Asker): AdminEvent {
  if (type !== 'log.read' && type !== 'log.verify') throw new TypeError(`"${type}" is nothing that a reading does`)
  const told = type === 'log.verify' && tenant !== undefined ? { ...detail, records: undefined, broken: undefined } : detail
  const known = Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined)) as JsonObject
  return { type, actor, ...(success !== undefined && { success }), detail: { ...known, ...(exchange && { call: exchange.id }) } }
}
