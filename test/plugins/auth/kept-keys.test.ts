// Keys in memory follow their store by what changed, from a file and from a server alike: never more is read, and never less is known.
import { createSecretKey } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { Stores } from 'mcpgw/plugin'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import { createEndings } from '../../../plugins/auth/endings.ts'
import { createKeptKeys, type KeptKeys } from '../../../plugins/auth/kept-keys.ts'
import { type AnyKeyStore, openSharedStore } from '../../../plugins/auth/shared-store.ts'
import { openKeyStore } from '../../../plugins/auth/store.ts'
import type { StoredKey } from '../../../plugins/auth/stored-key.ts'
import { createDatabase, server, run as sql } from '../../postgres/server.ts'
import { countRows, fillDatabase, fillFile } from './many-keys.ts'

const MANY = 1300
const by = { id: 'cli:tester' }
const pepper = createSecretKey(Buffer.alloc(32, 1))
const start = Date.UTC(2026, 0, 1)

const keyOf = (id: string, more: Partial<StoredKey> = {}): StoredKey => ({
  id,
  digest: Buffer.from(id.padEnd(32)),
  name: 'a key',
  principal: 'anna',
  roles: ['r'],
  tenant: 'acme',
  claims: {},
  createdAt: start,
  ...more,
})

describe.each(server === undefined ? ['file'] : ['file', 'server'])('keys of a %s', where => {
  let dir: string
  let stores: Stores
  let rows: { read: number }
  let url: string | undefined
  let store: AnyKeyStore
  const expelled: string[] = []
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'kept-'))
    url = where === 'server' ? await createDatabase() : undefined
    ;({ stores, rows } = countRows(createStores({ dataDir: dir, ...(url !== undefined && { url }) })))
    store = await open()
    expelled.length = 0
  })
  afterEach(async () => {
    await store.close()
    rmSync(dir, { recursive: true, force: true })
  })

  const open = async (): Promise<AnyKeyStore> => (url === undefined ? openKeyStore(stores, 'keys.db') : openSharedStore(stores.postgres()!))
  const fill = async (count: number): Promise<void> => (url === undefined ? fillFile(stores, count) : fillDatabase(url, count))
  const alter = async (inFile: string, onServer: string): Promise<void> => {
    if (url !== undefined) return void (await sql(onServer, url))
    const db = stores.open('keys.db')
    db.exec(inFile)
    db.close()
  }
  function follow(): { kept: KeptKeys; look(now?: number): void } {
    const endings = createEndings({
      expel(isMeant) {
        for (const keyId of ['a', 'b', 'many7'])
          if (isMeant({ id: 'x', roles: [], tenant: 'acme', claims: {}, via: { method: 'api-key', keyId } })) expelled.push(keyId)
        return { sessions: 0, requests: 0 }
      },
      find: () => undefined,
      log: { debug() {}, info() {}, error() {}, warn() {} },
    })
    const clock = { now: () => start, mono: () => 0, after: () => () => {} }
    return { kept: createKeptKeys({ store, pepper }, [], endings, clock), look: (now = start) => endings.look(now) }
  }
  const idsOf = ({ ring }: KeptKeys): unknown[] =>
    [...ring!.keys()].map(({ id, closed, expiresAt, digest }) => [id, closed, expiresAt, digest].join()).toSorted()
  const readBy = async (work: () => unknown): Promise<number> => {
    const before = rows.read
    await work()
    return rows.read - before
  }

  it('are read once; then each change costs the rows of the change, and a look at nothing new one row', async () => {
    await fill(MANY)
    const { kept, look } = follow()
    expect(await readBy(() => kept.refresh())).toBeLessThanOrEqual(MANY + 2)
    expect([...kept.ring!.keys()]).toHaveLength(MANY)
    expect(await readBy(async () => expect(await kept.refresh()).toBe(false))).toBe(1)
    look()
    await store.revoke('many7', start, by)
    expect(await readBy(async () => expect(await kept.refresh()).toBe(true))).toBe(2)
    look()
    expect(new Set(expelled)).toEqual(new Set(['many7']))
    await store.create(keyOf('a'), by)
    expect(await readBy(() => kept.refresh())).toBe(2)
    await store.rotate('a', keyOf('b'), start + 5, by)
    expect(await readBy(() => kept.refresh())).toBe(3)
    await store.erase('anna', undefined, start, by)
    expect(await readBy(() => kept.refresh())).toBe(3)
    expect([...kept.ring!.keys()].filter(({ id }) => id === 'a' || id === 'b')).toEqual([])
    look()
    expect(new Set(expelled)).toEqual(new Set(['many7', 'a', 'b']))
    expect(await readBy(() => kept.refresh())).toBe(1)
  })

  it('are all there after more changes than are read at once', async () => {
    const { kept } = follow()
    await kept.refresh()
    await fill(MANY)
    expect(await kept.refresh()).toBe(true)
    expect([...kept.ring!.keys()]).toHaveLength(MANY)
    expect(await kept.refresh()).toBe(false)
  })

  it('are all read again after a backup was restored, also where that has changed as often since', async () => {
    for (const id of ['a', 'b']) await store.create(keyOf(id), by)
    const { kept, look } = follow()
    await kept.refresh()
    await store.revoke('a', start, by)
    await kept.refresh()
    look()
    const { revision } = await store.latest()
    // The store before the revocation of a, in which b was revoked then: as many changes.
    await alter(
      `DELETE FROM changes WHERE revision = ${revision}; UPDATE keys SET revoked_at = NULL WHERE id = 'a'; DELETE FROM changes WHERE revision = ${revision}`,
      `UPDATE mcpgw_auth.key SET revoked_at = NULL WHERE id = 'a'; DELETE FROM mcpgw_auth.change WHERE revision >= ${revision};
        ALTER TABLE mcpgw_auth.change ALTER revision RESTART WITH ${revision}`,
    )
    await store.revoke('b', start, by)
    expect(await store.latest()).toMatchObject({ revision })
    expect(await kept.refresh()).toBe(true)
    expect(new Map([...kept.ring!.keys()].map(({ id, closed }) => [id, closed]))).toEqual(
      new Map([
        ['a', undefined],
        ['b', 'revoked'],
      ]),
    )
    expelled.length = 0
    look()
    expect(expelled).toContain('b')
  })

  it('are gone where the table was emptied by hand', async () => {
    await store.create(keyOf('a'), by)
    const { kept, look } = follow()
    await kept.refresh()
    look()
    await alter('DELETE FROM keys', 'TRUNCATE mcpgw_auth.key')
    await kept.refresh()
    look()
    expect([[...kept.ring!.keys()], expelled.includes('a')]).toEqual([[], true])
  })

  it('are not known while the log of changes is missing', async () => {
    await store.create(keyOf('a'), by)
    await alter('DELETE FROM changes', 'DELETE FROM mcpgw_auth.change')
    const { kept } = follow()
    await expect((async () => await kept.refresh())()).rejects.toThrow('the key store has no log of changes')
    expect(kept.ring).toBe(undefined)
  })

  it('are the same as if all had been read, whatever was done and in what order it was looked', async () => {
    const ids = fc.constantFrom('a', 'b', 'c')
    const operation = fc.oneof(
      fc.record({ do: fc.constant('create' as const), id: ids, digest: ids, life: fc.option(fc.nat(9)) }),
      fc.record({ do: fc.constant('rotate' as const), id: ids, to: ids, after: fc.nat(9) }),
      fc.record({ do: fc.constant('revoke' as const), id: ids }),
      fc.record({ do: fc.constant('erase' as const), principal: fc.constantFrom('anna', 'ben') }),
      fc.record({ do: fc.constant('look' as const) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 16 }), async operations => {
        await alter('DELETE FROM keys', 'DELETE FROM mcpgw_auth.key')
        const { kept } = follow()
        await kept.refresh()
        for (const [at, step] of operations.entries()) {
          const refused = (): void => {}
          if (step.do === 'create') {
            const principal = step.id === 'c' ? 'ben' : 'anna'
            const digest = Buffer.from(step.digest.padEnd(32))
            const key = keyOf(step.id, { digest, principal, ...(step.life !== null && { expiresAt: start + step.life }) })
            await (async () => await store.create(key, by))().catch(refused)
          } else if (step.do === 'rotate')
            await (async () => await store.rotate(step.id, keyOf(step.to), start + step.after, by))().catch(refused)
          else if (step.do === 'revoke') await store.revoke(step.id, start + at, by)
          else if (step.do === 'erase') await store.erase(step.principal, undefined, start + at, by)
          else await kept.refresh()
        }
        await kept.refresh()
        const { kept: anew } = follow()
        await anew.refresh()
        expect(idsOf(kept)).toEqual(idsOf(anew))
      }),
      { numRuns: url === undefined ? 150 : 40 },
    )
  }, 60_000)

  it('are seen whoever commits when: no change of several writers at once is missed', async () => {
    const { kept } = follow()
    await kept.refresh()
    const other = await open()
    let isWriting = true
    const writing = Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        const id = `w${n}`
        await [store, other][n % 2]!.create(keyOf(id), by)
        if (n % 3 === 0) await other.revoke(id, start, by)
      }),
    ).finally(() => {
      isWriting = false
    })
    while (isWriting) {
      await kept.refresh()
      await new Promise(setImmediate)
    }
    await writing
    await kept.refresh()
    const keys = [...kept.ring!.keys()]
    expect([keys.length, keys.filter(({ closed }) => closed === 'revoked').length]).toEqual([60, 20])
    await other.close()
  })
})
