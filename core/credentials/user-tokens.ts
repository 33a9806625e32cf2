// Tokens that users have given the gateway for a server: kept sealed, each good for one server and one principal alone.
import { existsSync } from 'node:fs'
import { isOf } from '../owner.ts'
import type { Awaitable, Person, Stores } from '../plugin/index.ts'
import { type Entry, idOf, seal, type UserToken, unseal } from './sealed.ts'
import { openSharedShelf, tables } from './shared-shelf.ts'
import { openShelfFile, type Revision, type Row, type Shelf, USER_TOKENS_FILE } from './shelf.ts'
import { createSealedVisits, eraseVisits, type Visits } from './visits.ts'

/** All of it rejects while they cannot be reached. */
export interface UserTokens {
  find(server: string, owner: string): Promise<UserToken | undefined>
  keep(server: string, owner: string, token: UserToken): Promise<void>
  /** False where `before` is not there any more: another instance has kept a newer one, or it was taken back. */
  replace(server: string, owner: string, before: UserToken, token: UserToken): Promise<boolean>
  /** Only where it is still this one. */
  drop(server: string, owner: string, token: UserToken): Promise<boolean>
  /** Nobody asks for these but who lists, takes back, exports or erases: all of them are opened. */
  all(): Promise<readonly Entry[]>
  /** Afterwards nothing of them is kept, nor of visits that gateways share. The number of tokens. */
  erase(person: Pick<Person, 'id' | 'tenant'>): Promise<number>
  revision(): Promise<Revision>
  /** Those that gateways share; undefined where they share none. */
  visits(): Promise<Visits | undefined>
  /** Of shared visits that have ended nothing is left. */
  clearVisits(): Promise<void>
  /** Who of these has given one; asked only where gateways share them. */
  which<T extends Pick<Entry, 'server' | 'owner'>>(those: readonly T[]): Promise<readonly T[]>
  close(): Promise<void>
}

export type TokenStores = Pick<Stores, 'open' | 'key' | 'resolve' | 'postgres'>

/** Whether there may be any; nothing is made by asking. Rejects where a database cannot say. */
export async function hasUserTokens(stores: Pick<TokenStores, 'resolve' | 'postgres'>): Promise<boolean> {
  if (existsSync(stores.resolve(USER_TOKENS_FILE))) return true
  const database = stores.postgres()
  if (database === undefined) return false
  try {
    return (await database.migrate(tables, 'plan')).from > 0
  } finally {
    await database.close()
  }
}

interface Opened {
  readonly shelf: Shelf
  readonly key: Uint8Array
  readonly visits: Visits | undefined
}

/** Opened with its first use, and tried again with the next where that failed. Neither tokens nor names of principals lie there as they are. */
export function createUserTokens(stores: TokenStores): UserTokens {
  let opening: Promise<Opened> | undefined

  async function open(): Promise<Opened> {
    const key = stores.key('credentials.key')
    const database = stores.postgres()
    if (database === undefined) return { shelf: openShelfFile(stores), key, visits: undefined }
    try {
      const shelf = await openSharedShelf(database, key, stores)
      return { shelf, key, visits: shelf.shared && createSealedVisits(shelf.shared.visits, key) }
    } catch (error) {
      await database.close()
      throw error
    }
  }

  async function using<T>(work: (shelf: Shelf, key: Uint8Array, visits: Visits | undefined) => Awaitable<T>): Promise<T> {
    opening ??= open().catch((error: unknown) => {
      opening = undefined
      throw error
    })
    const { shelf, key, visits } = await opening
    return work(shelf, key, visits)
  }

  async function read(shelf: Shelf, key: Uint8Array, server: string, owner: string): Promise<(Entry & { readonly row: Row }) | undefined> {
    const id = idOf(key, 'user-token', server, owner)
    const sealed = await shelf.get(id)
    const entry = unseal<Entry>(key, id, sealed)
    return entry?.server === server && entry.owner === owner ? { ...entry, row: { id, sealed: sealed! } } : undefined
  }

  async function readAll(shelf: Shelf, key: Uint8Array): Promise<readonly (Entry & { readonly row: Row })[]> {
    return (await shelf.all()).flatMap(row => {
      const entry = unseal<Entry>(key, row.id, row.sealed)
      return entry === undefined ? [] : [{ ...entry, row }]
    })
  }

  function rowOf(key: Uint8Array, entry: Entry): Row {
    const id = idOf(key, 'user-token', entry.server, entry.owner)
    return { id, sealed: seal(key, id, entry) }
  }

  return {
    find: (server, owner) => using(async (shelf, key) => (await read(shelf, key, server, owner))?.token),
    keep: (server, owner, token) => using((shelf, key) => shelf.put(rowOf(key, { server, owner, token }))),
    replace: (server, owner, before, token) =>
      using(async (shelf, key) => {
        const found = await read(shelf, key, server, owner)
        return isSame(found?.token, before) && shelf.replace(rowOf(key, { server, owner, token }), found!.row.sealed)
      }),
    drop: (server, owner, token) =>
      using(async (shelf, key) => {
        const found = await read(shelf, key, server, owner)
        return isSame(found?.token, token) && shelf.remove(found!.row)
      }),
    all: () => using(async (shelf, key) => (await readAll(shelf, key)).map(({ server, owner, token }) => ({ server, owner, token }))),
    erase: person =>
      using(async (shelf, key) => {
        if (shelf.shared !== undefined) await eraseVisits(shelf.shared.visits, key, person)
        let erased = 0
        for (;;) {
          const found = (await readAll(shelf, key)).filter(({ owner }) => isOf(owner, person))
          if (found.length === 0) break
          // One that was renewed meanwhile is found once more.
          for (const { row } of found) if (await shelf.remove(row)) erased++
        }
        if (erased > 0) await shelf.purge()
        return erased
      }),
    revision: () => using(shelf => shelf.revision()),
    visits: () => using((_shelf, _key, visits) => visits),
    clearVisits: () => using(async ({ shared }) => shared?.visits.clear()),
    which: those =>
      using(async ({ shared }, key) => {
        const ids = new Map(those.map(one => [idOf(key, 'user-token', one.server, one.owner), one]))
        const found = ids.size === 0 ? [] : await shared?.which([...ids.keys()])
        return (found ?? []).flatMap(id => ids.get(id) ?? [])
      }),
    async close() {
      const opened = await opening?.catch(() => undefined)
      opening = undefined
      await opened?.shelf.close()
    },
  }
}

export function isSame(kept: UserToken | undefined, given: UserToken): boolean {
  return kept?.access === given.access && kept.refresh === given.refresh
}
