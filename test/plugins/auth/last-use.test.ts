// When a key was last used: told by `keys list`, from a file and from a server; no call waits for it, and none fails by it.
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import { openSharedStore } from '../../../plugins/auth/shared-store.ts'
import { openKeyStore } from '../../../plugins/auth/store.ts'
import { createDatabase, server, run as sql } from '../../postgres/server.ts'
import { type Home, makeHome, type Started, startOfTests } from './gateway.ts'

const MINUTE = 60_000
const plainKey = 'gw_9f8e7d6c5b4a39281706'

describe.each(server === undefined ? ['file'] : ['file', 'server'])('of a key in a %s', where => {
  let home: Home
  let url: string | undefined
  let config: { keys: object; apiKeys?: object[] }
  const started: Started[] = []
  beforeEach(async () => {
    url = where === 'server' ? await createDatabase() : undefined
    home = makeHome(url)
    config = { keys: { shared: url !== undefined } }
  })
  afterEach(async () => {
    for (const gateway of started.splice(0)) await gateway.stop()
    home.remove()
  })

  const start = async (of: Home = home, own: object = config): Promise<Started> => {
    const gateway = await of.start(own)
    started.push(gateway)
    return gateway
  }
  const create = async (): Promise<string> => (await home.run('keys create', ['Agent', 'agent-1'], { config })).out
  const listed = async (own: object = config): Promise<(string | null)[]> => {
    const { out } = await home.run('keys list', [], { json: true, config: own })
    return (JSON.parse(out) as { keys: { lastUsed: string | null }[] }).keys.map(({ lastUsed }) => lastUsed)
  }
  const iso = (at: number): string => new Date(startOfTests + at).toISOString()
  const use = async (gateway: Started, key: string, at: number): Promise<string> => {
    gateway.now = startOfTests + at
    return (await gateway.present({ 'x-api-key': key })).kind
  }
  const pass = (gateway: Started, ms: number): void => {
    gateway.mono += ms
    gateway.tick()
  }

  it('is listed once a minute has gone by, and no sooner again, and what is left when the gateway stops', async () => {
    const key = await create()
    const gateway = await start()
    expect(await use(gateway, key, 1000)).toBe('identify')
    pass(gateway, MINUTE - 1)
    expect(await listed()).toEqual([null])
    expect(await use(gateway, key, 2000)).toBe('identify')
    pass(gateway, 1)
    await expect.poll(() => listed()).toEqual([iso(2000)])
    await use(gateway, key, 3000)
    pass(gateway, MINUTE - 1)
    expect(await listed()).toEqual([iso(2000)])
    await gateway.stop()
    expect(await listed()).toEqual([iso(3000)])
    expect((await home.run('keys list', [], { config })).out).toContain(iso(3000).slice(0, 16))
  })

  it('is the newest that any gateway has seen', async () => {
    const key = await create()
    const other = makeHome(url)
    const shared = url === undefined ? { keys: { path: join(home.dir, 'keys.db'), pepper: join(home.dir, 'keys.pepper') } } : config
    if (url !== undefined) copyFileSync(join(home.dir, 'keys.pepper'), join(other.dir, 'keys.pepper'))
    const [one, two] = [await start(), await start(other, shared)]
    await use(one, key, 9000)
    await use(two, key, 4000)
    await one.stop()
    await two.stop()
    expect(await listed()).toEqual([iso(9000)])
    other.remove()
  })

  it('is no use where it was refused, and is not known of keys in the config', async () => {
    const key = await create()
    await home.run('keys revoke', [key], { config })
    const own = { ...config, apiKeys: [{ id: 'plain', key: plainKey, consumerId: 'agent-2' }] }
    const gateway = await start(home, own)
    expect(await use(gateway, key, 1000)).toBe('deny')
    expect(await use(gateway, plainKey, 1000)).toBe('identify')
    await gateway.stop()
    expect(await listed(own)).toEqual([null, null])
  })

  it('goes with the key of somebody who is erased, also where it was noted before', async () => {
    const key = await create()
    const gateway = await start()
    await use(gateway, key, 1000)
    pass(gateway, MINUTE)
    await expect.poll(() => listed()).toEqual([iso(1000)])
    await use(gateway, key, 2000)
    const stores = createStores({ dataDir: home.dir, ...(url !== undefined && { url }) })
    const store = url === undefined ? openKeyStore(stores, 'keys.db') : await openSharedStore(stores.postgres()!)
    await store.erase('agent-1', undefined, startOfTests, { id: 'cli:tester' })
    expect((await store.lastUses()).size).toBe(0)
    await gateway.stop()
    expect((await store.lastUses()).size).toBe(0)
    await store.close()
  })

  it('is no change of a key', async () => {
    const key = await create()
    const stores = createStores({ dataDir: home.dir, ...(url !== undefined && { url }) })
    const store = url === undefined ? openKeyStore(stores, 'keys.db') : await openSharedStore(stores.postgres()!)
    const before = await store.latest()
    await store.noteUses([[key.slice(4, 12), startOfTests]])
    expect((await store.lastUses()).get(key.slice(4, 12))).toBe(startOfTests)
    expect(await store.latest()).toEqual(before)
    await store.close()
  })

  it('is written later where it cannot be written, which is said once, and calls go on', async () => {
    const key = await create()
    const gateway = await start()
    const breakOrMend = async (isBroken: boolean): Promise<unknown> => {
      const [inFile, onServer] = isBroken
        ? ['ALTER TABLE last_uses RENAME TO elsewhere', 'ALTER TABLE mcpgw_auth.last_use RENAME TO elsewhere']
        : ['ALTER TABLE elsewhere RENAME TO last_uses', 'ALTER TABLE mcpgw_auth.elsewhere RENAME TO last_use']
      if (url !== undefined) return await sql(onServer, url)
      const db = createStores({ dataDir: home.dir }).open('keys.db')
      db.exec(inFile)
      return db.close()
    }
    const warnings = (): string[] => gateway.warnings.filter(line => line.includes('last used'))
    await breakOrMend(true)
    await use(gateway, key, 1000)
    pass(gateway, MINUTE)
    await expect.poll(warnings).toHaveLength(1)
    expect(await use(gateway, key, 2000)).toBe('identify')
    pass(gateway, MINUTE)
    expect(await use(gateway, key, 3000)).toBe('identify')
    await breakOrMend(false)
    // The attempt before may still be under way.
    const afterAMinute = (): Promise<(string | null)[]> => {
      pass(gateway, MINUTE)
      return listed()
    }
    await expect.poll(afterAMinute).toEqual([iso(3000)])
    expect([warnings().length, gateway.health.at(-1)]).toEqual([1, undefined])
  })

  it.skipIf(where === 'server')('is not waited for while another process holds the file', async () => {
    const key = await create()
    const gateway = await start()
    const db = createStores({ dataDir: home.dir }).open('keys.db')
    db.exec('BEGIN IMMEDIATE')
    await use(gateway, key, 1000)
    pass(gateway, MINUTE)
    await expect.poll(() => gateway.warnings.filter(line => line.includes('last used'))).toHaveLength(1)
    expect(await use(gateway, key, 2000)).toBe('identify')
    db.exec('COMMIT')
    db.close()
    pass(gateway, MINUTE)
    await expect.poll(() => listed()).toEqual([iso(2000)])
  })
})
