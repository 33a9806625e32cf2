// How outcomes come to be counted: what is not told live is read from the log, what is gone from it is told, and order and clocks do not matter.
import { checkPlugin, createFakeClock, createTemporaryStores, harness, type TemporaryStores } from 'mcpgw/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import audit from '../../../plugins/audit/index.ts'
import { createCounter } from '../../../plugins/meter/counter.ts'
import meter from '../../../plugins/meter/index.ts'
import { createPrices } from '../../../plugins/meter/prices.ts'
import { sqliteUsage } from '../../../plugins/meter/store/sqlite.ts'
import type { UsageStore } from '../../../plugins/meter/store/usage-store.ts'
import { tally } from '../../../plugins/meter/tally.ts'
import { createFakeLog, type FakeLog, NOON } from './fake-log.ts'

let stores: TemporaryStores
let store: UsageStore
beforeEach(() => {
  stores = createTemporaryStores()
  store = sqliteUsage(stores, 'usage.db', 'write')
})
afterEach(async () => {
  await store.close()
  stores.remove()
})

function start(log: FakeLog, warned: string[] = [], lost: number[] = [], told: number[] = []) {
  const note = (message: string): void => void warned.push(message)
  return createCounter({
    outcomes: log.outcomes,
    store,
    clock: createFakeClock(),
    log: { debug() {}, info() {}, warn: note, error: note },
    tally: some => tally(some, { window: 'hour', prices: createPrices({ prices: [], defaultPrice: 0 }) }),
    onCounted: some => void told.push(...some.map(({ seq }) => seq)),
    onHealth() {},
    onLost: records => void lost.push(records),
  })
}
const calls = async (): Promise<number> => (await store.sum({ span: 'window', from: 0, to: 8e15, by: [] }))[0]?.ends.answered ?? 0

test('records that were taken out of the log before they were counted are told once, and the rest is counted', async () => {
  const log = createFakeLog()
  const lost: number[] = []
  log.append('boot-0', [{}])
  await start(log, [], lost).flush()
  log.append('boot-0', [{}, {}, {}])
  log.append('other', [{}, {}])
  log.prune('boot-0', 3)
  log.prune('other', 1)
  log.restart('boot-1')
  const counter = start(log, [], lost)
  await counter.flush()
  await counter.flush()
  expect(lost).toEqual([2, 1])
  expect(await calls()).toBe(3)
  expect((await store.counted()).lost).toEqual([
    { stream: 'boot-0', first: 2, last: 3 },
    { stream: 'other', first: 1, last: 1 },
  ])
})

test('the metrics hear of each outcome once, when the store has it, however often that fails', async () => {
  const log = createFakeLog()
  const told: number[] = []
  const works = store
  store = { ...works, add: () => Promise.reject(new Error('the disk is full')) }
  const counter = start(log, [], [], told)
  log.append('boot-0', [{}, {}])
  expect([await counter.flush(), await counter.flush(), told]).toEqual([false, false, []])
  await counter.stop()
  store = works
  const next = start(log, [], [], told)
  await next.flush()
  await next.flush()
  expect(told).toEqual([1, 2])
})

test('what was taken out before there was a meter is not missed', async () => {
  const log = createFakeLog()
  log.append('old', [{}, {}, {}])
  log.prune('old', 2)
  const lost: number[] = []
  await start(log, [], lost).flush()
  expect([lost, await calls()]).toEqual([[], 1])
})

test('more than memory holds is let go, and counted from the log', async () => {
  const log = createFakeLog(5000)
  const counter = start(log)
  await counter.flush()
  const many = Array.from({ length: 7000 }, () => ({}))
  for (let i = 0; i < 4; i++) log.append('boot-0', many)
  expect(await counter.flush()).toBe(true)
  expect(await calls()).toBe(28_000)
  log.append('boot-0', [{}])
  await counter.flush()
  expect(await calls()).toBe(28_001)
})

test('a clock that is set back is told, and its calls are in the windows of the time it showed', async () => {
  const log = createFakeLog()
  const warned: string[] = []
  const counter = start(log, warned)
  log.append('boot-0', [{ at: NOON }, { at: NOON - 7_200_000 }, { at: NOON + 1 }, { at: Number.NaN }, { at: 1e300 }])
  await counter.flush()
  expect(warned[0]).toContain('the clock of the gateway was set back')
  const hours = (await store.sum({ span: 'window', from: 0, to: 8e15, by: ['hour'] })).map(({ hour, ends }) => [hour, ends.answered])
  expect(hours.toSorted(([a], [b]) => a! - b!)).toEqual([
    [0, 2],
    [NOON - 7_200_000, 1],
    [NOON, 2],
  ])
})

test('a correction moves the end it corrects, in the window of that one, and is no further call', async () => {
  const log = createFakeLog()
  const counter = start(log)
  log.append('boot-0', [{}, { at: NOON + 3_600_000, outcome: 'withheld', revises: { outcome: 'answered', at: NOON } }])
  await counter.flush()
  expect(await store.sum({ span: 'window', from: 0, to: 8e15, by: ['hour'] })).toMatchObject([
    { hour: NOON, ends: { answered: 0, withheld: 1 } },
  ])
})

test('what a server asks of a client is no usage', async () => {
  const log = createFakeLog()
  const counter = start(log)
  log.append('boot-0', [{ action: 'sampling/createMessage' }, { action: 'tasks/get' }])
  await counter.flush()
  expect(await store.sum({ span: 'window', from: 0, to: 8e15, by: ['target'] })).toMatchObject([
    { target: 'tasks/get', ends: { answered: 1 } },
  ])
})

test('without audit, or before it, the gateway does not start, and says what would do', async () => {
  const boot = (plugins: Parameters<typeof harness>[0]['plugins']): Promise<unknown> => harness({ plugins, stores })
  await expect(boot([meter])).rejects.toThrow('service-missing: meter requires "outcomes", which no loaded plugin provides')
  await expect(boot([meter, audit])).rejects.toThrow(/audit must stand before meter.*\n.*this order would do: audit, meter/)
})

test('keeps what every plugin promises', async () => {
  const checks = await checkPlugin(meter, { before: [{ plugin: audit, config: { durability: 'os' } }], stores })
  expect(checks.filter(({ ok }) => !ok)).toEqual([])
})
