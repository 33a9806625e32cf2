// The port behind which usage is kept: both stores keep the same promises.
import type { Stores, UsageRow } from 'mcpgw/plugin'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import { createTemporaryStores } from '../../../core/testing/index.ts'
import { type ChangesCursor, NOTHING, readCursor } from '../../../plugins/meter/store/changes.ts'
import { openUsage } from '../../../plugins/meter/store/open.ts'
import type { Addition, Dimension, UsageStore, VersionAddition } from '../../../plugins/meter/store/usage-store.ts'
import { emptyCounts } from '../../../plugins/meter/tally.ts'
import { createDatabase, run, server } from '../../postgres/server.ts'
import { NOON } from './fake-log.ts'

const { signal } = new AbortController()
const HOUR = 3_600_000

const row = (more: Partial<Addition> = {}, calls = 1): Addition => {
  const counts = emptyCounts()
  counts.ends.answered = calls
  counts.latency[2] = calls
  const key = { span: 'window' as const, start: NOON, end: NOON + HOUR, tenant: 'acme', subject: 's-1', server: 'crm', target: 'find' }
  return { ...key, ...counts, requestBytes: 10, resultBytes: 20, milliUnits: 1500n, ...more }
}

describe.each(['sqlite', 'postgres'] as const)('usage in %s', kind => {
  describe.skipIf(kind === 'postgres' && server === undefined)('as a store', () => {
    let stores: Stores
    let store: UsageStore
    let url: string | undefined
    let remove: () => void
    const open = (how: 'read' | 'write' = 'write'): Promise<UsageStore> => openUsage(stores, { path: 'usage.db' }, how)
    beforeAll(async () => {
      url = kind === 'postgres' ? await createDatabase() : undefined
    })
    beforeEach(async () => {
      if (url !== undefined) await run('DROP SCHEMA IF EXISTS mcpgw_usage CASCADE', url)
      const temporary = createTemporaryStores()
      remove = temporary.remove
      stores = createStores({ dataDir: temporary.dir, url })
    })
    afterEach(async () => {
      await store?.close()
      remove()
    })
    const step = (after: number, through: number, rows: readonly Addition[], stream = 'a', versions: readonly VersionAddition[] = []) =>
      store.add({ stream, after, through, at: NOON + through, rows, versions })

    test('a step is made where the stream was counted through its start, and nowhere else', async () => {
      store = await open()
      expect(await step(0, 3, [row()])).toBe(true)
      expect(await step(0, 3, [row()])).toBe(false)
      expect(await step(2, 5, [row()])).toBe(false)
      expect(await step(3, 5, [row({}, 2)])).toBe(true)
      expect(await step(4, 9, [row()], 'never-counted')).toBe(false)
      expect(await step(5, 9, [])).toBe(true)
      expect(await store.counted()).toEqual({
        through: new Map([['a', 9]]),
        latest: new Map([['a', NOON + 9]]),
        place: undefined,
        lost: [],
      })
      const [sum, ...more] = await store.sum({ span: 'window', from: NOON, to: NOON + 1, by: ['tenant', 'target'] })
      expect(more).toEqual([])
      expect(sum).toMatchObject({ tenant: 'acme', target: 'find', requestBytes: 20, resultBytes: 40, milliUnits: 3000n })
      expect([sum!.ends.answered, sum!.latency[2]]).toEqual([3, 3])
    })

    test('of many who count the same step at once, one does', async () => {
      store = await open()
      const others = await Promise.all([1, 2, 3].map(() => open()))
      const same = {
        stream: 'a',
        after: 0,
        through: 4,
        at: NOON,
        rows: [row(), row({ target: 'save' })],
        versions: [{ ...row(), version: '1' }],
      }
      const done = await Promise.all([store, ...others].map(one => one.add(same)))
      expect(done.filter(Boolean)).toHaveLength(1)
      // And of other streams, whatever the order of their rows.
      await Promise.all(
        others.map((one, i) => one.add({ ...same, stream: `b${i}`, rows: i % 2 === 0 ? same.rows : same.rows.toReversed() })),
      )
      const sums = await store.sum({ span: 'window', from: 0, to: 8e15, by: ['target'] })
      expect(sums.map(({ ends }) => ends.answered)).toEqual([4, 4])
      for (const one of others) await one.close()
    })

    test('what was lost and where the log was read are kept with it', async () => {
      store = await open()
      await store.add({ stream: 'a', after: 0, through: 9, at: 0, rows: [], versions: [], lost: { stream: 'a', first: 1, last: 5 } })
      await store.keepPlace('here')
      await store.close()
      store = await open('read')
      expect(await store.counted()).toMatchObject({ place: 'here', lost: [{ stream: 'a', first: 1, last: 5 }] })
    })

    test('units add up exactly beyond what a number holds', async () => {
      store = await open()
      const most = BigInt(Number.MAX_SAFE_INTEGER)
      await step(0, 1, [row({ milliUnits: most })])
      await step(1, 2, [row({ milliUnits: 2n })])
      const [sum] = await store.sum({ span: 'window', from: 0, to: 8e15, by: [] })
      expect(sum!.milliUnits).toBe(most + 2n)
    })

    test('sums go by tenant, caller, tool, hour and day, within a time and a tenant; of nothing there is none', async () => {
      store = await open()
      const day = 24 * HOUR
      await step(0, 1, [
        row(),
        row({ start: NOON + HOUR, end: NOON + 2 * HOUR }),
        row({ start: NOON + day, end: NOON + day + HOUR, tenant: 'b', subject: 's-2', server: 'fs' }),
        row({ start: -HOUR, end: 0 }),
      ])
      const all = { span: 'window' as const, from: 0, to: 8e15 }
      expect((await store.sum({ ...all, by: ['hour'] })).map(({ hour }) => String(hour)).toSorted()).toEqual(
        [NOON, NOON + HOUR, NOON + day].map(String),
      )
      expect((await store.sum({ ...all, by: ['day', 'tenant'] })).map(one => `${one.day} ${one.tenant}`).toSorted()).toEqual([
        `${NOON - 12 * HOUR} acme`,
        `${NOON + 12 * HOUR} b`,
      ])
      expect((await store.sum({ span: 'window', from: -day, to: 0, by: ['day'] })).map(({ day: of }) => of)).toEqual([-day])
      expect(await store.sum({ ...all, tenant: 'b', by: ['server'] })).toMatchObject([{ server: 'fs' }])
      expect(await store.sum({ span: 'window', from: 5, to: 6, by: [] })).toEqual([])
    })

    const look = async (cursor: string | undefined, endedBy: number): Promise<{ rows: UsageRow[]; cursor: string }> => {
      const rows: UsageRow[] = []
      let last = ''
      for await (const page of store.changes(cursor, endedBy, signal)) {
        rows.push(...page.rows)
        last = page.cursor
      }
      return { rows, cursor: last }
    }

    test('changes gives each row whose window has ended, again only once it changes, with its totals', async () => {
      store = await open()
      await step(0, 1, [row(), row({ target: 'save' }), row({ start: NOON + HOUR, end: NOON + 2 * HOUR })])
      const first = await look(undefined, NOON + HOUR)
      expect(first.rows.map(({ target, calls, milliUnits }) => [target, calls, milliUnits])).toEqual([
        ['find', 1, 1500],
        ['save', 1, 1500],
      ])
      const nothing = await look(first.cursor, NOON + HOUR)
      expect(nothing.rows).toEqual([])
      await step(1, 2, [row({}, 4)])
      const late = await look(nothing.cursor, NOON + HOUR)
      expect(late.rows).toMatchObject([{ target: 'find', calls: 5, milliUnits: 3000, start: NOON, end: NOON + HOUR, tenant: 'acme' }])
      // A window that has ended since, although nothing in it changed.
      expect((await look(late.cursor, NOON + 2 * HOUR)).rows).toMatchObject([{ start: NOON + HOUR }])
    })

    test('changes goes on between its pages, and what changes meanwhile is not missed', async () => {
      store = await open()
      const many = Array.from({ length: 4500 }, (_, i) => row({ target: `t${i}` }))
      await step(0, 1, many)
      const seen = new Map<string, number>()
      const take = (rows: readonly UsageRow[]): void => {
        for (const { target, calls } of rows) seen.set(target, calls)
      }
      let cursor: string | undefined
      for await (const page of store.changes(undefined, NOON + HOUR, signal)) {
        take(page.rows)
        cursor = page.cursor
        break
      }
      expect(seen.size).toBeLessThan(4500)
      await step(1, 2, [row({ target: 't1' }), row({ target: 't4499' })])
      const rest = await look(cursor, NOON + HOUR)
      take(rest.rows)
      take((await look(rest.cursor, NOON + HOUR)).rows)
      expect(seen.size).toBe(4500)
      expect([seen.get('t1'), seen.get('t4499'), seen.get('t7')]).toEqual([2, 2, 1])
      await expect(look('not a cursor', 0)).rejects.toThrow('"not a cursor" is no cursor of usage')
    })

    test('sums by version have what names none apart, and what was counted before there were versions', async () => {
      store = await open()
      await step(0, 1, [row({}, 2), row({ span: 'month' }, 2)])
      const split = (version: string, calls = 1): VersionAddition => ({ ...row({}, calls), version })
      await step(1, 2, [row({}, 4), row({ target: 'save' })], 'a', [split('1.0'), split('2.0', 3), { ...split('2.0'), target: 'save' }])
      await step(2, 3, [row({}, 1)], 'a', [split('2.0')])
      const by = async (...dimensions: Dimension[]): Promise<string[]> => {
        const sums = await store.sum({ span: 'window', from: 0, to: 8e15, by: dimensions })
        return sums.map(({ target = '', version, ends, milliUnits }) => `${target} ${version} ${ends.answered} ${milliUnits}`).toSorted()
      }
      const found = [' 1.0 1 1500', ' 2.0 5 4500']
      expect(await by('version')).toEqual(['  2 0', ...found])
      expect(await by('target', 'version')).toEqual(['find  2 0', 'find 1.0 1 1500', 'find 2.0 4 3000', 'save 2.0 1 1500'])
      await store.close()
      store = await open('read')
      expect(await by('version')).toEqual(['  2 0', ...found])
    })

    test('a store of the version before keeps its rows, which name no version', async () => {
      store = await open()
      await step(0, 1, [row()])
      await store.close()
      if (url === undefined) {
        const db = stores.open('usage.db')
        db.exec('DROP TABLE usage_version; PRAGMA user_version = 1')
        db.close()
        store = await open('read')
        expect(await store.sum({ span: 'window', from: 0, to: 8e15, by: ['version'] })).toMatchObject([{ version: '', requestBytes: 10 }])
        await store.close()
      } else await run('DROP TABLE mcpgw_usage.usage_version; DELETE FROM mcpgw_usage.schema_version WHERE version = 2', url)
      store = await open()
      await step(1, 2, [row()], 'a', [{ ...row(), version: '2.0' }])
      const sums = await store.sum({ span: 'window', from: 0, to: 8e15, by: ['version'] })
      expect(sums.map(({ version, ends }) => `${version} ${ends.answered}`).toSorted()).toEqual([' 1', '2.0 1'])
    })

    test('old windows go, and the rest stays', async () => {
      store = await open()
      const next = row({ start: NOON + HOUR, end: NOON + 2 * HOUR })
      const versions = [row(), next].map(one => ({ ...one, version: '2.0' }))
      await step(0, 1, [row(), next], 'a', versions)
      expect(await store.forget(NOON + HOUR, new Map())).toEqual(new Map())
      expect(await store.sum({ span: 'window', from: 0, to: 8e15, by: ['hour', 'version'] })).toMatchObject([
        { hour: NOON + HOUR, version: '2.0' },
      ])
    })

    test('an old window stays until everybody who needs it has seen it; its month does not', async () => {
      store = await open()
      await step(0, 1, [row(), row({ span: 'month' }), row({ target: 'late' })])
      const hours = async (): Promise<number> => (await store.sum({ span: 'window', from: 0, to: 8e15, by: ['target'] })).length
      const through = async (endedBy: number): Promise<ChangesCursor> => {
        let last: string | undefined
        for await (const { cursor } of store.changes(undefined, endedBy, signal)) last = cursor
        return readCursor(last)
      }
      const before = await through(NOON)
      expect(await store.forget(NOON + HOUR, new Map([['stripe', NOTHING]]))).toEqual(new Map([['stripe', 2]]))
      expect(await store.sum({ span: 'month', from: 0, to: 8e15, by: [] })).toEqual([])
      const seen = await through(NOON + HOUR)
      await step(1, 2, [row({ target: 'late' })])
      const held = new Map([
        ['ahead', await through(NOON + HOUR)],
        ['behind', seen],
      ])
      // What has changed since has to be seen once more.
      expect(await store.forget(NOON + HOUR, held)).toEqual(new Map([['behind', 1]]))
      expect(await hours()).toBe(1)
      expect(await store.forget(NOON + HOUR, new Map([['stripe', before]]))).toEqual(new Map([['stripe', 1]]))
      expect(await store.forget(NOON + HOUR, new Map([['stripe', held.get('ahead')!]]))).toEqual(new Map())
      expect(await hours()).toBe(0)
    })

    test('where there is none to read, that is said with its name', async () => {
      await expect(open('read')).rejects.toThrow(/usage\.db: no such file|mcpgw_usage: has no tables yet/)
      store = await open()
    })
  })
})
