// What callers have done, in SQLite: one row for each caller and event, the last time of it.
import { existsSync } from 'node:fs'
import type { Database, GroupWriter, Person, Stores } from 'mcpgw/plugin'
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
const WHOSE = 'WHERE id = ? AND tenant = coalesce(?, tenant)'

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

/** Without the gateway that may write it meanwhile. */
export const readPast = (stores: Stores, { id, tenant }: Person): readonly PastEvent[] =>
  withFile(stores, db =>
    db.prepare(`SELECT tenant, id, event, at FROM past ${WHOSE} AND at > 0`).all(id, tenant ?? null),
  ) as unknown as PastEvent[]

/** Also out of the file. How many rows there were. */
export function erasePast(stores: Stores, { id, tenant }: Person): number {
  const [erased = 0] = withFile(stores, db => {
    const { changes } = db.prepare(`DELETE FROM past ${WHOSE}`).run(id, tenant ?? null)
    db.purge()
    return [changes]
  })
  return erased
}

/** Nothing where there is no file: none is made for this. */
function withFile<Row>(stores: Stores, work: (db: Database) => Row[]): Row[] {
  if (!existsSync(stores.resolve(FILE))) return []
  const db = stores.open(FILE, { schema: SCHEMA })
  try {
    return work(db)
  } finally {
    db.close()
  }
}
