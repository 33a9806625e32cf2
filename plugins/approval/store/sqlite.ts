// Requests for approval in a file of the data directory.
import type { Stores } from 'mcpgw/plugin'
import { type ApprovalStore, COLUMNS, MOST_LISTED, readRow, toRow } from './store.ts'

const SCHEMA = 1
const SETUP = `CREATE TABLE IF NOT EXISTS requests (
  id TEXT NOT NULL UNIQUE, key TEXT PRIMARY KEY, tenant TEXT NOT NULL, principal TEXT NOT NULL, state TEXT NOT NULL,
  until INTEGER NOT NULL, at INTEGER NOT NULL, revision INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS requests_until ON requests (until);
PRAGMA user_version = ${SCHEMA};`

/** Throws where it cannot be opened; the message names it. */
export function sqliteApprovals(stores: Stores, path: string): ApprovalStore {
  const db = stores.open(path, { durability: 'full', schema: SCHEMA })
  try {
    if (Number(db.prepare('PRAGMA user_version').get()?.user_version) < SCHEMA) db.transaction(() => db.exec(SETUP))
    db.exec('PRAGMA secure_delete = ON')
  } catch (error) {
    db.close()
    throw error
  }
  const byKey = db.prepare('SELECT * FROM requests WHERE key = ?')
  const byId = db.prepare('SELECT * FROM requests WHERE id = ?')
  const marks = COLUMNS.map(() => '?').join(', ')
  const insert = db.prepare(
    `INSERT INTO requests (${COLUMNS.join(', ')}) VALUES (${marks})
      ON CONFLICT (key) DO UPDATE SET ${COLUMNS.map(one => `${one} = excluded.${one}`).join(', ')} WHERE state = 'used' OR until <= ?`,
  )
  const update = db.prepare('UPDATE requests SET state = ?, until = ?, revision = ?, body = ? WHERE id = ? AND revision = ?')
  const count = db.prepare("SELECT count(*) AS n FROM requests WHERE tenant = ? AND principal = ? AND state = 'waiting' AND until > ?")
  const all = db.prepare(`SELECT * FROM requests WHERE tenant = coalesce(?, tenant) ORDER BY at DESC, id LIMIT ${MOST_LISTED}`)
  const old = db.prepare('DELETE FROM requests WHERE until < ?')
  const remove = db.prepare('DELETE FROM requests WHERE id = ?')

  return {
    async find(key) {
      const row = byKey.get(key)
      return row && readRow(row)
    },
    async get(id) {
      const row = byId.get(id)
      return row && readRow(row)
    },
    open: async (request, now) => insert.run(...toRow(request), now).changes > 0,
    async replace(next) {
      const [id, , , , state, until, , revision, body] = toRow(next)
      return update.run(state!, until!, revision!, body!, id!, next.revision - 1).changes > 0
    },
    countWaiting: async (tenant, principal, now) => Number(count.get(tenant, principal, now)?.n),
    list: async tenant => all.all(tenant ?? null).map(readRow),
    forget: async before => void old.run(before),
    async erase(ids) {
      const erased = db.transaction(() => ids.reduce((sum, id) => sum + remove.run(id).changes, 0))
      db.purge()
      return erased
    },
    close: async () => db.close(),
  }
}
