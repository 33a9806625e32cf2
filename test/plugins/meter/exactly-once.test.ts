// T64: whatever is killed between two steps, and whoever else counts, each outcome is in the totals exactly once.
import fc from 'fast-check'
import type { DurableOutcome } from 'mcpgw/plugin'
import { afterEach, expect, test } from 'vitest'
import { createFakeClock, createTemporaryStores, type TemporaryStores } from '../../../core/testing/index.ts'
import { type Counter, createCounter } from '../../../plugins/meter/counter.ts'
import { outcomeKinds } from '../../../plugins/meter/outcome-kinds.ts'
import { createPrices } from '../../../plugins/meter/prices.ts'
import { sqliteUsage } from '../../../plugins/meter/store/sqlite.ts'
import type { Dimension, Span, Sum, UsageStore } from '../../../plugins/meter/store/usage-store.ts'
import { tally } from '../../../plugins/meter/tally.ts'
import { createFakeLog, type FakeLog, NOON } from './fake-log.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {} }
const prices = createPrices({ prices: [{ tool: 'find', units: 1500, per: 'call', toolErrors: 'free' }], defaultPrice: 1 })
const asTally = (some: Parameters<typeof tally>[0]) => tally(some, { window: 'hour', prices })

let stores: TemporaryStores | undefined
afterEach(() => {
  stores?.remove()
  stores = undefined
})

type Fault = 'none' | 'before' | 'after'

/** A store that fails as told, before or after what it does is durable. */
function faulty(store: UsageStore, next: () => Fault): UsageStore {
  return {
    ...store,
    async add(step) {
      const fault = next()
      if (fault === 'before') throw new Error('killed before')
      const done = await store.add(step)
      if (fault === 'after') throw new Error('killed after')
      return done
    },
  }
}

const start = (log: FakeLog, store: UsageStore, more: Partial<Parameters<typeof createCounter>[0]> = {}): Counter =>
  createCounter({
    outcomes: log.outcomes,
    store,
    clock: createFakeClock(),
    log: silent,
    tally: asTally,
    onHealth() {},
    onLost() {},
    ...more,
  })

const byKey = (sums: readonly Sum[]): unknown[] => sums.map(sum => JSON.stringify({ ...sum, milliUnits: String(sum.milliUnits) })).sort()
const DIMENSIONS = ['tenant', 'subject', 'server', 'target', 'hour'] as const
const totals = async (store: UsageStore, span: Span, by: readonly Dimension[]): Promise<unknown[]> =>
  byKey(await store.sum({ span, from: 0, to: 8.64e15, by }))

/** One by one, as a person would. */
function naive(outcomes: readonly DurableOutcome[], span: Span, version?: string): Sum[] {
  const rows = asTally(outcomes).rows.filter(row => row.span === span)
  return rows.map(({ start, end: _end, span: _span, ...row }) => {
    const { tenant, subject, server, target, ...counts } = row
    return { tenant, subject, server, target, hour: start, ...(version !== undefined && { version }), ...counts } as Sum
  })
}
const VERSIONS = [undefined, '1.0', '2.0']

const outcome = fc.record({
  outcome: fc.constantFrom(...outcomeKinds),
  subject: fc.constantFrom('s-1', 's-2'),
  target: fc.constantFrom('find', 'save'),
  version: fc.constantFrom(...VERSIONS),
  at: fc.constantFrom(NOON, NOON + 3_600_000, NOON - 1),
  requestBytes: fc.nat(5000),
  durationMs: fc.integer({ min: 0, max: 100_000 }),
})
const event = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      ends: fc.array(fc.option(outcome, { nil: undefined }), { maxLength: 8 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('other' as const), ends: fc.array(outcome, { minLength: 1, maxLength: 4 }) }) },
  { weight: 4, arbitrary: fc.constant({ kind: 'flush' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'kill' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'rival' as const }) },
)

test('totals, and those of each version, equal a naive count of the log, wherever the gateway is killed, its store fails, or another one counts the same', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { maxLength: 25 }),
      fc.infiniteStream(fc.constantFrom<Fault>('none', 'none', 'before', 'after')),
      async (events, faults) => {
        stores = createTemporaryStores()
        const log = createFakeLog()
        const rest = faults[Symbol.iterator]()
        const open = (): UsageStore => sqliteUsage(stores!, 'usage.db', 'write')
        let store = open()
        let counter = start(
          log,
          faulty(store, () => rest.next().value as Fault),
        )
        let boots = 0
        for (const one of events) {
          if (one.kind === 'append') log.append(log.outcomes.stream, one.ends)
          else if (one.kind === 'other') log.append('gateway-b', one.ends)
          else if (one.kind === 'flush') await counter.flush()
          else if (one.kind === 'rival') {
            const rival = open()
            await start({ ...log, outcomes: { ...log.outcomes, stream: 'rival', listen() {} } }, rival).flush()
            await rival.close()
          } else {
            // What it had gathered dies with it.
            await store.close()
            store = open()
            log.restart(`boot-${++boots}`)
            counter = start(
              log,
              faulty(store, () => rest.next().value as Fault),
            )
          }
        }
        await store.close()
        store = open()
        log.restart('boot-last')
        const last = start(log, store)
        expect(await last.flush()).toBe(true)
        for (const span of ['window', 'month'] as const) {
          expect(await totals(store, span, DIMENSIONS)).toEqual(byKey(naive(log.all(), span)))
          const byVersion = VERSIONS.flatMap(version =>
            naive(
              log.all().filter(one => one.version === version),
              span,
              version ?? '',
            ),
          )
          expect(await totals(store, span, [...DIMENSIONS, 'version'])).toEqual(byKey(byVersion))
        }
        await last.stop()
        await store.close()
        stores.remove()
      },
    ),
    { numRuns: 60 },
  )
})
