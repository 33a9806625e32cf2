// The plugin's worker with a usage, a Stripe and a clock of the test; a gateway can be killed at any write, and another one started.
import type { Clock, Stores, Usage, UsageRow } from 'mcpgw/plugin'
import { createTemporaryStores } from 'mcpgw/testing'
import { onTestFinished } from 'vitest'
import { createClient } from '../../../plugins/stripe/client.ts'
import { type StripeConfig, config as schema } from '../../../plugins/stripe/config.ts'
import type { Line } from '../../../plugins/stripe/line.ts'
import { createReporter } from '../../../plugins/stripe/report.ts'
import type { Terms } from '../../../plugins/stripe/standing.ts'
import { openOutbox } from '../../../plugins/stripe/store/open.ts'
import type { Outbox, OutboxWriter } from '../../../plugins/stripe/store/outbox.ts'
import { createWorker, type Worker } from '../../../plugins/stripe/worker.ts'
import { createFakeStripe, type FakeStripe, KEY } from './fake-stripe.ts'

export const HOUR = 3_600_000
export const DAY: number = 24 * HOUR
export const START: number = Date.UTC(2026, 10, 28, 12)

export interface SteppableClock extends Clock {
  /** By which Stripe goes: nobody sets it. */
  true(): number
  /** Time passes. */
  pass(ms: number): void
  /** Somebody sets the wall clock. */
  step(ms: number): void
}

export function createClock(start: number = START): SteppableClock {
  let [mono, offset] = [0, start]
  return {
    now: () => mono + offset,
    true: () => mono + start,
    mono: () => mono,
    after: () => () => {},
    pass(ms) {
      mono += ms
    },
    step(ms) {
      offset += ms
    },
  }
}

/** As the meter plugin tells it: rows with their totals, again when they rise. */
export interface FakeUsage extends Usage {
  add(row: Partial<UsageRow> & { readonly at: number; readonly calls: number }): void
  /** The last cursor that it was told to keep nothing for. */
  taken(): string | undefined
  /** Calls of a tenant. */
  total(tenant: string): number
}

export function createUsage(pageSize = 3): FakeUsage {
  const rows = new Map<string, UsageRow & { readonly change: number }>()
  let changes = 0
  let held: string | undefined
  return {
    add({ at, calls, milliUnits = 0, tenant = 'acme', subject = 's1', server = 'files', target = 'read' }) {
      const start = Math.floor(at / HOUR) * HOUR
      const key = JSON.stringify([start, tenant, subject, server, target])
      const before = rows.get(key) ?? { calls: 0, milliUnits: 0 }
      changes += 1
      rows.set(key, {
        start,
        end: start + HOUR,
        tenant,
        subject,
        server,
        target,
        change: changes,
        calls: before.calls + calls,
        milliUnits: before.milliUnits + milliUnits,
      })
    },
    hold: () => cursor => {
      held = cursor
    },
    taken: () => held,
    total: tenant => [...rows.values()].filter(row => row.tenant === tenant).reduce((sum, row) => sum + row.calls, 0),
    async *changes(cursor, endedBy) {
      // Windows that end later come later, as changes of then.
      const seen = new Set(JSON.parse(cursor ?? '[]') as number[])
      const fresh = [...rows.values()].filter(row => row.end <= endedBy && !seen.has(row.change))
      for (let at = 0; at < fresh.length; at += pageSize) {
        const page = fresh.slice(at, at + pageSize)
        for (const { change } of page) seen.add(change)
        yield {
          rows: page.map(({ start, end, tenant, subject, server, target, calls, milliUnits }) => ({
            start,
            end,
            tenant,
            subject,
            server,
            target,
            calls,
            milliUnits,
          })),
          cursor: JSON.stringify([...seen]),
        }
      }
    },
  }
}

export class Killed extends Error {}

export interface World {
  readonly clock: SteppableClock
  readonly stripe: FakeStripe
  readonly usage: FakeUsage
  readonly stores: Stores
  readonly config: StripeConfig
  readonly logged: string[]
  /** What health shows, and the last values of the gauges. */
  readonly health: () => string | undefined
  /** A gateway; `killAt` gets the number of each write, and whether it comes before or after it. */
  start(killAt?: (write: number, when: 'before' | 'after') => boolean): Worker
  lines(): Promise<readonly Line[]>
  all(): Promise<readonly Line[]>
  /** Also done at the end of the test. */
  close(): Promise<void>
}

export async function parseConfig(value: Record<string, unknown>): Promise<StripeConfig> {
  const checked = await schema['~standard'].validate(value)
  if (checked.issues !== undefined) throw new Error(checked.issues.map(issue => issue.message).join('; '))
  return checked.value
}

export interface WorldOptions {
  readonly config?: Record<string, unknown>
  /** ms that a request may take. */
  readonly deadline?: number
  /** Where the outbox is; in a folder of its own by default. */
  readonly stores?: Stores
  /** Usage that was counted elsewhere. */
  readonly counted?: Usage
  /** Of the clock, ms since 1970. */
  readonly at?: number
}

export async function createWorld({
  config: given = {},
  deadline = 5000,
  stores: own,
  counted,
  at = START,
}: WorldOptions = {}): Promise<World> {
  const temporary = own === undefined ? createTemporaryStores() : undefined
  const stores = own ?? temporary!
  const clock = createClock(at)
  const stripe = await createFakeStripe(clock.true)
  const config = await parseConfig({
    apiKey: KEY,
    host: '127.0.0.1',
    port: stripe.port,
    protocol: 'http',
    since: '2026-01-01',
    meters: [{ event: 'tool_calls' }],
    customers: { acme: 'cus_acme', globex: 'cus_globex' },
    ...given,
  })
  const usage = createUsage()
  const logged: string[] = []
  const note = (message: string, fields?: object): void => void logged.push(`${message} ${JSON.stringify(fields ?? {})}`)
  let health: string | undefined
  const metric = { inc() {}, set() {}, observe() {} }
  const context = {
    config,
    clock,
    health: (state: { why: string } | undefined) => {
      health = state?.why
    },
    log: { debug: note, info: note, warn: note, error: note },
    metrics: { counter: () => metric, gauge: () => metric, histogram: () => metric },
    scrub: (text: string) => text,
  } as unknown as Parameters<typeof createReporter>[0]
  const workers: Worker[] = []
  const read = async (what: (reader: Awaited<ReturnType<Outbox['reader']>>) => Promise<readonly Line[]>): Promise<readonly Line[]> => {
    const outbox = openOutbox(stores, config)
    const reader = await outbox.reader()
    try {
      return await what(reader)
    } finally {
      await reader.close()
      await outbox.close()
    }
  }
  const termsOf = async (reader: Awaited<ReturnType<Outbox['reader']>>): Promise<Terms> => ({
    config,
    since: config.since ?? Number((await reader.notes()).began ?? 0),
    now: clock.now(),
  })
  let closed: Promise<void> | undefined
  async function endAll(): Promise<void> {
    for (const worker of workers) await worker.stop()
    await stripe.close()
    temporary?.remove()
  }
  const close = (): Promise<void> => {
    closed ??= endAll()
    return closed
  }
  onTestFinished(close)
  return {
    clock,
    stripe,
    usage,
    stores,
    config,
    logged,
    health: () => health,
    start(killAt) {
      const outbox = openOutbox(stores, config)
      const worker = createWorker({
        config,
        clock,
        log: context.log,
        outbox: killAt === undefined ? outbox : mortal(outbox, killAt),
        usage: counted ?? usage,
        connect: () => createClient({ config, deadline }),
        report: createReporter(context),
      })
      workers.push(worker)
      return worker
    },
    lines: () => read(async reader => (await reader.list(undefined, await termsOf(reader), 1_000_000)).lines),
    all: () => read(reader => reader.within(0, Number.MAX_SAFE_INTEGER)),
    close,
  }
}

/** From the kill on nothing is written any more; the lead is free, as with a process that is gone. */
function mortal(outbox: Outbox, killAt: (write: number, when: 'before' | 'after') => boolean): Outbox {
  let writes = 0
  let isDead = false
  const dying = async (): Promise<never> => {
    isDead = true
    throw new Killed('killed')
  }
  return {
    ...outbox,
    async lead() {
      if (isDead) throw new Killed('killed')
      const writer = await outbox.lead()
      if (writer === undefined) return undefined
      const mortalWriter: OutboxWriter = {
        async commit(changes) {
          writes += 1
          if (isDead || killAt(writes, 'before')) return dying()
          await writer.commit(changes)
          if (killAt(writes, 'after')) return dying()
        },
        close: () => writer.close(),
      }
      return mortalWriter
    },
  }
}

/** Passes until nothing is to be done, with the time that each asks for in between; at most for `most` ms. */
export async function run(world: World, worker: Worker, most: number): Promise<void> {
  for (const until = world.clock.mono() + most; world.clock.mono() < until; ) world.clock.pass(Math.max(await worker.pass(), 30_000))
}
