// `usage --reconcile` where not all is left to compare: it says so, and never calls equal what it could not look at.
import { createFakeClock, createTemporaryStores, runCommand } from 'mcpgw/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createCounter } from '../../../plugins/meter/counter.ts'
import meter from '../../../plugins/meter/index.ts'
import { createPrices } from '../../../plugins/meter/prices.ts'
import { sqliteUsage } from '../../../plugins/meter/store/sqlite.ts'
import { tally } from '../../../plugins/meter/tally.ts'
import { createFakeLog, NOON } from './fake-log.ts'

describe('usage --reconcile over a log of which a part was taken out', () => {
  const DAY = 86_400_000
  /** Two calls on each of three days, counted; then the first `pruned` records are gone. */
  async function compare(pruned: number, period: string, more: { readonly keep?: number; readonly json?: boolean } = {}) {
    const stores = createTemporaryStores()
    onTestFinished(() => stores.remove())
    const log = createFakeLog()
    const clock = createFakeClock(NOON + 3 * DAY)
    const store = sqliteUsage(stores, 'usage.db', 'write')
    const counter = createCounter({
      outcomes: log.outcomes,
      store,
      clock,
      log: { debug() {}, info() {}, warn() {}, error() {} },
      tally: some => tally(some, { window: 'hour', prices: createPrices({ prices: [], defaultPrice: 0 }) }),
      onHealth() {},
      onLost() {},
    })
    for (let day = 0; day < 3; day++) log.append('boot-0', [{ at: NOON + day * DAY }, { at: NOON + day * DAY + 1 }])
    await counter.flush()
    await store.close()
    log.prune('boot-0', pruned)
    return runCommand(meter, ['usage'], {
      options: { period, format: 'table', reconcile: true },
      json: more.json ?? false,
      config: more.keep === undefined ? {} : { keep: more.keep },
      stores,
      clock,
      recorded: [],
      find: async () => log.outcomes as never,
    })
  }
  const whole = '2026-11-28..2026-11-30'

  test('all of the period is there: 0', async () => {
    expect(await compare(0, whole)).toMatchObject({ code: 0, out: 'EQUAL: usage has what the audit log has\n' })
    expect(await compare(2, '2026-11-30')).toMatchObject({ code: 0, out: 'EQUAL: usage has what the audit log has\n' })
  })

  test('nothing of the period is there: 4, and it is not called equal', async () => {
    expect(await compare(6, whole)).toMatchObject({
      code: 4,
      out: 'NOT COMPARED: of this time records were taken out of the audit log\n',
    })
    const { code, out } = await compare(6, whole, { json: true })
    expect([code, JSON.parse(out)]).toMatchObject([4, { equal: null, compared: null, missing: 'log', differences: [] }])
  })

  test('a part of the period is there: 4, and it says from which day on it could compare; a day that is not whole is none', async () => {
    const out =
      'EQUAL from 2026-11-30 on: usage has what the audit log has\nNOT COMPARED before 2026-11-30: records were taken out of the audit log\n'
    for (const pruned of [2, 3]) expect(await compare(pruned, whole)).toMatchObject({ code: 4, out })
    expect(JSON.parse((await compare(3, whole, { json: true })).out)).toMatchObject({ equal: null, compared: '2026-11-30' })
  })

  test('usage that is not kept any more is no difference, and no proof: 4', async () => {
    const { code, out } = await compare(0, whole, { keep: 2 })
    expect([code, out]).toEqual([
      4,
      'EQUAL from 2026-11-30 on: usage has what the audit log has\nNOT COMPARED before 2026-11-30: usage is not kept any more\n',
    ])
  })
})
