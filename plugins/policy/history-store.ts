// What callers have done, in SQLite: one row for each caller and event, the last time of it.
import type { GroupWriter, Stores } from 'mcpgw/plugin'
import type { PastEvent, PastStore } from './history.ts'

const FILE = 'policy-history.db'
const SCHEMA = 1
const setup = `
CREATE TABLE IF NOT EXISTS past (
  tenant TEXT NOT NULL, id TEXT NOT NULL, event TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (tenant, id, event)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = ${SCHEMA};
`
const SAVE = 'INSERT INTO past VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET at = excluded.at'
const PRUNE = 'DELETE FROM past WHERE at < ?'

/** Throws where it cannot be opened. */
export async function openPastStore(stores: Stores): Promise<PastStore> {
  const writer: GroupWriter = await stores.writer(FILE, { durability: 'full', setup, statements: [SAVE, PRUNE], schema: SCHEMA })
  return {
    load(since) {
      const db = stores.open(FILE, { readOnly: true, schema: SCHEMA })
      try {
        const rows = db.prepare('SELECT tenant, id, event, at FROM past WHERE at >= ? AND at > 0').all(since)
        return rows as unknown as PastEvent[]
      } finally {
        db.close()
      }
    },
    save: events => writer.append(events.map(({ tenant, id, event, at }) => ({ sql: 0, params: [tenant, id, event, at] }))),
    recover: () => writer.recover(),
    prune: before => writer.append([{ sql: 1, params: [before] }]),
    close: () => writer.close(),
  }
}
