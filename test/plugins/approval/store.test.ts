// Both stores of requests for approval keep the same promises: one request a key, and of two who change it at once one.

import { createTemporaryStores } from 'mcpgw/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import type { Request } from '../../../plugins/approval/request.ts'
import { openApprovals, withApprovals } from '../../../plugins/approval/store/open.ts'
import type { ApprovalStore } from '../../../plugins/approval/store/store.ts'
import { createDatabase, server } from '../../postgres/server.ts'

const request = (id: string, more: Partial<Request> = {}): Request => ({
  id,
  key: id,
  tenant: 'acme',
  principal: 'ann',
  action: 'tools/call',
  server: 's',
  name: 't',
  args: { amount: 1 },
  needs: ['role:x'],
  given: [],
  state: 'waiting',
  at: 1,
  until: 100,
  forMs: 99,
  revision: 1,
  ...more,
})
const where = { path: 'approvals.db' }

const places: Readonly<Record<string, () => Promise<() => Promise<ApprovalStore>>>> = {
  async sqlite() {
    const stores = createTemporaryStores()
    onTestFinished(() => stores.remove())
    return () => openApprovals(stores, where)
  },
  async postgres() {
    const stores = createTemporaryStores()
    const url = await createDatabase()
    onTestFinished(() => stores.remove())
    return () => openApprovals(createStores({ dataDir: stores.dir, url }), where)
  },
}

describe.for(Object.keys(places).filter(name => name !== 'postgres' || server !== undefined))('in %s', name => {
  async function openTwo(): Promise<readonly [ApprovalStore, ApprovalStore]> {
    const open = await places[name]!()
    const two = [await open(), await open()] as const
    onTestFinished(async () => void (await Promise.all(two.map(one => one.close()))))
    return two
  }

  test('there is one request for a key until it is used or its time is over', async () => {
    const [here, there] = await openTwo()
    const first = request('a')
    expect(await here.open(first, 1)).toBe(true)
    expect(await there.open(request('b', { key: 'a' }), 99)).toBe(false)
    expect(await there.find('a')).toEqual(first)
    expect(await there.open(request('c', { key: 'a', until: 200 }), 100)).toBe(true)
    expect(await here.get('a')).toBeUndefined()
    expect(await here.replace({ ...(await here.get('c'))!, state: 'used', revision: 2 })).toBe(true)
    expect(await here.open(request('d', { key: 'a' }), 50)).toBe(true)
    expect((await here.list(undefined)).map(({ id }) => id)).toEqual(['d'])
  })

  test('of two who change it at once one does', async () => {
    const [here, there] = await openTwo()
    await here.open(request('a'), 1)
    const done = await Promise.all([here, there].map(one => one.replace(request('a', { state: 'approved', revision: 2 }))))
    expect(done.filter(Boolean)).toHaveLength(1)
    expect(await here.get('a')).toMatchObject({ state: 'approved', revision: 2, args: { amount: 1 } })
  })

  test('counts, lists, forgets and erases what is meant, and nothing else', async () => {
    const [here] = await openTwo()
    for (const one of [
      request('a'),
      request('b', { until: 50, at: 2 }),
      request('c', { tenant: 'globex' }),
      request('d', { principal: 'bob' }),
    ])
      await here.open(one, 1)
    expect(await here.countWaiting('acme', 'ann', 49)).toBe(2)
    expect(await here.countWaiting('acme', 'ann', 50)).toBe(1)
    expect((await here.list('acme')).map(({ id }) => id)).toEqual(['b', 'a', 'd'])
    await here.forget(51)
    expect((await here.list(undefined)).map(({ id }) => id)).toEqual(['a', 'c', 'd'])
    expect(await here.erase(['a', 'x'])).toBe(1)
    expect((await here.list(undefined)).map(({ id }) => id)).toEqual(['c', 'd'])
  })
})

test('no store is made by asking', async () => {
  const stores = createTemporaryStores()
  onTestFinished(() => stores.remove())
  expect(await withApprovals(stores, where, store => store.list(undefined))).toBeUndefined()
})
