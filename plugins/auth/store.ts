// The key store: keys by digest, and the outbox of what happened to them, written together so that neither goes without the other.
import { randomUUID } from 'node:crypto'
import type { Database, Operator, SqlRow, Statement, Stores } from 'mcpgw/plugin'
import { type Changes, type Mark, PAGE, readChanges, readMark, selectChanges, selectLatest } from './changes.ts'
import { requirePrivate } from './pepper.ts'
import { SCHEMA, stepsFrom } from './sqlite-tables.ts'
import { readKey, type StoredKey, shownRate, writeRate } from './stored-key.ts'

/** Whoever takes an event and does not record it within so many ms has died over it. */
export const TAKEN_MS = 10_000

export interface KeyEvent {
  readonly seq: number
  /** Unique: the same event may be recorded twice where a gateway is killed in between. */
  readonly id: string
  readonly at: number
  readonly type: string
  readonly actor: Operator
  readonly detail: Readonly<Record<string, string | number | readonly string[]>>
}

export interface KeyStore {
  create(key: StoredKey, by: Operator): void
  /** Makes `next` and has the old key expire at `until`; false where the old one does not hold any more. `tenant`: a key of another one is none. */
  rotate(old: string, next: StoredKey, until: number, by: Operator, tenant?: string): boolean
  revoke(id: string, at: number, by: Operator, tenant?: string): 'revoked' | 'already-revoked' | 'unknown'
  all(): StoredKey[]
  find(id: string): StoredKey | undefined
  /** The first PAGE keys whose ids come after `id`, in one order. */
  page(id: string): StoredKey[]
  /** Where the log of changes ends. To be asked before keys are read, so that a change in between is seen later. */
  latest(): Mark
  /** The first of what changed after `since`; undefined where that is not of this store's log. */
  changes(since: Mark): Changes | undefined
  /** Events that nobody else is about to record, in order. Whoever takes one must `forget` it or give it back. */
  take(now: number): KeyEvent[]
  forget(seq: number): void
  giveBack(seq: number): void
  /** True while an event waits to be recorded, by whomever. */
  hasEvents(): boolean
  /** Keys and when they were used (ms since 1970): the newest counts, and those that are no keys of this store are left out. */
  noteUses(uses: readonly Use[]): void
  /** When each key was last used, by id, of all or of these; absent: never. */
  lastUses(ids?: readonly string[]): ReadonlyMap<string, number>
  /** True where this store's keys were made under the pepper that gives `proof`; the first proof is kept. */
  matchesPepper(proof: Uint8Array): boolean
  /** What it has of somebody: their keys, and what of them is still to be recorded. `tenant` undefined: of any. */
  about(id: string, tenant: string | undefined): Holdings
  /** Takes all of it out, and out of the file; the keys end with it, which is recorded without a name. */
  erase(id: string, tenant: string | undefined, at: number, by: Operator): Holdings
  close(): void
}

export type Use = readonly [keyId: string, at: number]

export interface Holdings {
  readonly keys: readonly StoredKey[]
  readonly events: readonly KeyEvent[]
}

/** Throws where the file is open to others, or was written by a later version of the gateway. */
export function openKeyStore(stores: Stores, path: string): KeyStore {
  if (path !== ':memory:') requirePrivate(stores.resolve(path))
  const db = stores.open(path, { durability: 'full', schema: SCHEMA })
  try {
    const version = Number(db.prepare('PRAGMA user_version').get()?.user_version)
    if (version < SCHEMA) db.transaction(() => db.exec(stepsFrom(version)))
    // Names pass through here on their way to the record.
    db.exec('PRAGMA secure_delete = ON')
    return bindKeyStore(db, path === ':memory:' ? () => db : () => stores.open(path, { durability: 'os', schema: SCHEMA }))
  } catch (error) {
    db.close()
    throw error
  }
}

function bindKeyStore(db: Database, openForUses: () => Database): KeyStore {
  const insert = db.prepare('INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const select = db.prepare('SELECT * FROM keys ORDER BY created_at, id')
  const find = db.prepare('SELECT * FROM keys WHERE id = ?')
  const mark = db.prepare('UPDATE keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL AND tenant = coalesce(?, tenant)')
  const shorten = db.prepare(
    'UPDATE keys SET expires_at = ? WHERE id = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?) AND tenant = coalesce(?, tenant)',
  )
  const tell = db.prepare('INSERT INTO events (id, at, type, actor, detail) VALUES (?, ?, ?, ?, ?)')
  const told = db.prepare('SELECT * FROM events ORDER BY seq')
  const take = db.prepare('UPDATE events SET taken_at = ? WHERE seq = ?')
  const drop = db.prepare('DELETE FROM events WHERE seq = ?')
  const following = db.prepare(`SELECT * FROM keys WHERE id > ? ORDER BY id LIMIT ${PAGE}`)
  const latest = db.prepare(selectLatest('changes'))
  const changed = db.prepare(selectChanges('changes', 'keys', '?'))
  const keep = db.prepare("INSERT OR IGNORE INTO facts VALUES ('pepper', ?)")
  const kept = db.prepare("SELECT value FROM facts WHERE name = 'pepper'")
  const remove = db.prepare('DELETE FROM keys WHERE id = ?')
  const forgetUse = db.prepare('DELETE FROM last_uses WHERE key_id = ?')
  const lastUses = db.prepare('SELECT key_id, at FROM last_uses')
  const lastUsesOf = db.prepare('SELECT key_id, at FROM last_uses WHERE key_id IN (SELECT value FROM json_each(?))')
  const uses = bindUses(openForUses)

  const about = (id: string, tenant: string | undefined): Holdings => ({
    keys: select
      .all()
      .map(readKey)
      .filter(key => key.principal === id && key.tenant === (tenant ?? key.tenant)),
    events: told
      .all()
      .map(readEvent)
      .filter(({ detail }) => detail.principal === id && detail.tenant === (tenant ?? detail.tenant)),
  })

  const add = (key: StoredKey, by: Operator): void => {
    const { id, digest, name, principal, roles, tenant, createdAt, expiresAt = null } = key
    const [list, claims, rate] = [JSON.stringify(roles), JSON.stringify(key.claims), writeRate(key.rate)]
    insert.run(id, digest, name, principal, list, tenant, createdAt, expiresAt, null, claims, rate)
    const detail = { key: id, name, principal, roles, tenant, ...(expiresAt !== null && { expiresAt }), ...shownRate(key) }
    tell.run(randomUUID(), createdAt, 'key.create', JSON.stringify(by), JSON.stringify(detail))
  }

  return {
    create: (key, by) => db.transaction(() => add(key, by)),
    rotate(old, next, until, by, tenant) {
      return db.transaction(() => {
        if (shorten.run(until, old, next.createdAt, tenant ?? null).changes === 0) return false
        add(next, by)
        const { principal } = next
        const detail = { key: old, to: next.id, until, principal, tenant: next.tenant }
        tell.run(randomUUID(), next.createdAt, 'key.rotate', JSON.stringify(by), JSON.stringify(detail))
        return true
      })
    },
    revoke(id, at, by, tenant) {
      return db.transaction(() => {
        const row = find.get(id)
        if (row === undefined || row.tenant !== (tenant ?? row.tenant)) return 'unknown'
        if (mark.run(at, id, tenant ?? null).changes === 0) return 'already-revoked'
        tell.run(
          randomUUID(),
          at,
          'key.revoke',
          JSON.stringify(by),
          JSON.stringify({ key: id, principal: String(row.principal), tenant: String(row.tenant) }),
        )
        return 'revoked'
      })
    },
    all: () => select.all().map(readKey),
    find(id) {
      const row = find.get(id)
      return row && readKey(row)
    },
    page: id => following.all(id).map(readKey),
    latest: () => readMark(latest.get()),
    changes: since => readChanges(changed.all(since.revision), since),
    take: now =>
      db.transaction(() => {
        const free = told.all().filter(({ taken_at: at }) => at === null || Math.abs(now - Number(at)) > TAKEN_MS)
        for (const { seq } of free) take.run(now, Number(seq))
        return free.map(readEvent)
      }),
    forget: seq => void drop.run(seq),
    giveBack: seq => void take.run(null, seq),
    hasEvents: () => told.get() !== undefined,
    noteUses: used => uses.note(used),
    lastUses: ids => readUses(ids === undefined ? lastUses.all() : lastUsesOf.all(JSON.stringify(ids))),
    matchesPepper(proof) {
      if (kept.get() === undefined) keep.run(proof)
      return Buffer.from(proof).equals(kept.get()?.value as Uint8Array)
    },
    about,
    erase(id, tenant, at, by) {
      const found = db.transaction(() => {
        const all = about(id, tenant)
        for (const event of all.events) drop.run(event.seq)
        for (const key of all.keys) {
          remove.run(key.id)
          forgetUse.run(key.id)
          if (key.revokedAt === undefined)
            tell.run(randomUUID(), at, 'key.revoke', JSON.stringify(by), JSON.stringify({ key: key.id, why: 'erasure' }))
        }
        return all
      })
      db.purge()
      return found
    },
    close() {
      uses.close()
      db.close()
    },
  }
}

/** On a connection of its own, made when it is needed: it waits neither for the disk nor for who holds the file. */
function bindUses(open: () => Database): { note(uses: readonly Use[]): void; close(): void } {
  let opened: { readonly db: Database; readonly insert: Statement } | undefined
  const prepare = (): NonNullable<typeof opened> => {
    const db = open()
    db.exec('PRAGMA busy_timeout = 0')
    const insert = db.prepare(
      `INSERT INTO last_uses SELECT id, ? FROM keys WHERE id = ?
        ON CONFLICT (key_id) DO UPDATE SET at = excluded.at WHERE excluded.at > last_uses.at`,
    )
    return { db, insert }
  }
  return {
    note(uses) {
      opened ??= prepare()
      const { db, insert } = opened
      db.transaction(() => {
        for (const [id, at] of uses) insert.run(at, id)
      })
    },
    close: () => opened?.db.close(),
  }
}

export const readUses = (rows: readonly SqlRow[]): ReadonlyMap<string, number> =>
  new Map(rows.map(row => [String(row.key_id), Number(row.at)]))

export function readEvent(row: SqlRow): KeyEvent {
  const detail = JSON.parse(String(row.detail)) as KeyEvent['detail']
  return {
    seq: Number(row.seq),
    id: String(row.id),
    at: Number(row.at),
    type: String(row.type),
    actor: readActor(String(row.actor)),
    detail,
  }
}

/** A name alone in stores of earlier versions. */
function readActor(text: string): Operator {
  return text.startsWith('{') ? (JSON.parse(text) as Operator) : { id: text }
}
