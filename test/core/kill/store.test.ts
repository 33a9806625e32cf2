// Kills are kept where all gateways see them, the first word stands, and what cannot be read is never taken for nothing.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { KINDS, type Kill } from '../../../core/kill/kills.ts'
import { type KillStore, openKillStore, tables } from '../../../core/kill/store.ts'
import { createStores } from '../../../core/store/index.ts'
import { createDatabase, createRole, run, server, withParts } from '../../postgres/server.ts'

const killOf = (name: string, kind: Kill['kind'] = 'tenant', at = 1): Kill => ({ kind, name, at, by: { id: 'cli:ann', uid: 7 } })

const opened: KillStore[] = []
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close()
})
async function open(dataDir: string, url?: string): Promise<KillStore> {
  const store = await openKillStore(createStores({ dataDir, url }))
  opened.push(store)
  return store
}
function createDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'mcpgw-kill-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

const PLACES: [string, () => Promise<string | undefined>][] = [['a file', async () => undefined]]
if (server !== undefined) PLACES.push(['PostgreSQL', () => createDatabase()])

describe.each(PLACES)('kills in %s', (_, urlOf) => {
  it('are seen by others at once, oldest first, with who killed what and why; the first word stands until it is lifted', async () => {
    const url = await urlOf()
    const dir = createDir()
    const [one, two] = [await open(dir, url), await open(dir, url)]
    expect(await two.all()).toEqual([])
    const kills = KINDS.map((kind, i) => ({ ...killOf(`its "name", 'é'`, kind, 9 - i), ...(i === 1 && { because: 'why; not' }) }))
    for (const kill of kills) expect(await one.set(kill)).toBe(true)
    expect(await two.all()).toEqual(kills.toReversed())
    expect(await two.set({ ...kills[0]!, because: 'another word', at: 99 })).toBe(false)
    expect(await one.all()).toEqual(kills.toReversed())
    expect(await two.lift(kills[0]!)).toBe(true)
    expect(await one.lift(kills[0]!)).toBe(false)
    expect(await one.all()).toEqual(kills.slice(1).toReversed())
  })

  it('stand beside restarts: the last word for each server is seen by others at once, and what is killed stays so', async () => {
    const url = await urlOf()
    const dir = createDir()
    const [one, two] = [await open(dir, url), await open(dir, url)]
    expect(await two.restarts()).toEqual([])
    const by = { id: 'cli:ann', uid: 7 }
    await one.set(killOf('crm', 'server'))
    await one.restart({ server: 'crm', at: 5, by })
    await one.restart({ server: `it's "git"`, at: 6, by })
    await two.restart({ server: 'crm', at: 7, by: { id: 'opal' } })
    expect((await one.restarts()).toSorted((a, b) => a.at - b.at)).toEqual([
      { server: `it's "git"`, at: 6, by },
      { server: 'crm', at: 7, by: { id: 'opal' } },
    ])
    expect(await two.all()).toEqual([killOf('crm', 'server')])
  })

  it('of two who kill or lift the same at once, one does', async () => {
    const url = await urlOf()
    const dir = createDir()
    const stores = [await open(dir, url), await open(dir, url)]
    const of = async (work: (store: KillStore) => Promise<boolean>): Promise<number> =>
      (await Promise.all(stores.map(work))).filter(done => done).length
    expect(await of(store => store.set(killOf('acme')))).toBe(1)
    expect(await of(store => store.lift(killOf('acme')))).toBe(1)
  })
})

describe('the file of kills', () => {
  it('is not made by asking, and its end is no end of what was killed', async () => {
    const dir = createDir()
    const path = join(dir, 'kills.db')
    const gateway = await open(dir)
    await gateway.all()
    await gateway.lift(killOf('acme'))
    expect(() => rmSync(path)).toThrow('ENOENT')
    const operator = await open(dir)
    await operator.set(killOf('acme'))
    expect(await gateway.all()).toHaveLength(1)
    for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true })
    await expect(gateway.all()).rejects.toThrow('no such file any more')
  })

  it('is read anew where another one is put in its place, and refused where that is none', async () => {
    const dir = createDir()
    const path = join(dir, 'kills.db')
    const gateway = await open(dir)
    await (await open(dir)).set(killOf('acme'))
    expect(await gateway.all()).toHaveLength(1)
    for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true })
    await (await open(dir)).set(killOf('globex'))
    expect((await gateway.all()).map(({ name }) => name)).toEqual(['globex'])
    for (const end of ['-wal', '-shm']) rmSync(path + end, { force: true })
    rmSync(path)
    writeFileSync(path, 'no database '.repeat(500))
    await expect(gateway.all()).rejects.toMatchObject({ code: 'store-unreadable' })
  })

  it('with what no version that is known here has written is not read', async () => {
    const dir = createDir()
    const stores = createStores({ dataDir: dir })
    const operator = await open(dir)
    await operator.set(killOf('acme'))
    const db = stores.open('kills.db')
    db.exec("INSERT INTO kills VALUES ('planet', 'x', 1, '{}', NULL)")
    await expect(operator.all()).rejects.toThrow('unknown kind: planet')
    db.exec('PRAGMA user_version = 99')
    db.close()
    await expect((await open(dir)).all()).rejects.toMatchObject({ code: 'store-newer' })
  })
})

describe.skipIf(server === undefined)('with a database', () => {
  it('what was killed in the file before stays killed, and is lifted as all else', async () => {
    const dir = createDir()
    await (await open(dir)).set(killOf('acme'))
    const store = await open(dir, await createDatabase())
    expect((await store.all()).map(({ name }) => name)).toEqual(['acme'])
    expect(await store.set(killOf('acme'))).toBe(false)
    expect(await store.lift(killOf('acme'))).toBe(true)
    expect(await store.all()).toEqual([])
  })

  it('a role that may make nothing says who makes the tables, and then needs no more than to read', async () => {
    const url = await createDatabase()
    const role = await createRole(url)
    const own = withParts(url, { user: role, password: `password-of-${role}` })
    const dir = createDir()
    await expect(open(dir, own)).rejects.toMatchObject({
      code: 'store-missing',
      message: expect.stringContaining('mcpgw migrate') as string,
    })
    const owner = await open(dir, url)
    await run(`GRANT USAGE ON SCHEMA ${tables.schema} TO ${role}; GRANT SELECT ON ALL TABLES IN SCHEMA ${tables.schema} TO ${role}`, url)
    await owner.set(killOf('acme'))
    const gateway = await open(dir, own)
    expect(await gateway.all()).toHaveLength(1)
    await expect(gateway.lift(killOf('acme'))).rejects.toThrow('permission denied')
  })
})
