// Takes records out of a log file, so that their bytes do not stay in it; short transactions, for the gateway waits for each.
import type { Database, Stores } from 'mcpgw/plugin'
import { holdLive } from './liveness.ts'
import type { Retention } from './log-store.ts'
import { SCHEMA, setup } from './sqlite-tables.ts'

// No stream has this name, so that it is a lock of its own.
const LOCK = '\0retention'

/** Throws where another one is open on this file. */
export function openSqliteRetention(stores: Stores, path: string): Retention {
  const release = lock(stores, path)
  let db: Database
  try {
    db = stores.open(path, { schema: SCHEMA })
    db.exec(setup)
    // What is deleted is overwritten with zeros.
    db.exec('PRAGMA secure_delete = ON')
  } catch (error) {
    release()
    throw error
  }
  return {
    async remove({ tombstone: { stream, through, at, link, frontier, note }, records, between }) {
      if (between === undefined) throw new Error(`${db.path}: records of a file are taken out by their numbers`)
      db.transaction(() => {
        db.prepare('INSERT INTO tombstone (stream, through, at, link, frontier, note) VALUES (?, ?, ?, ?, ?, ?)').run(
          stream,
          through,
          at,
          link,
          frontier,
          note,
        )
        const { changes } = db
          .prepare('DELETE FROM record WHERE n BETWEEN ? AND ? AND stream = ? AND seq <= ?')
          .run(...between, stream, through)
        if (changes !== records) throw new Error(`${db.path}: expected ${records} records of stream ${stream}, found ${changes}`)
      })
    },
    async hold({ id, tenant, consumer, reason, at }) {
      db.prepare('INSERT INTO hold (id, tenant, consumer, reason, at) VALUES (?, ?, ?, ?, ?)').run(id, tenant, consumer, reason, at)
    },
    async release(id) {
      db.prepare('DELETE FROM hold WHERE id = ?').run(id)
    },
    async close() {
      // The log beside the file has the pages as they were; where somebody reads now, the next one empties it.
      db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      db.close()
      release()
    },
  }
}

function lock(stores: Stores, path: string): () => void {
  try {
    return holdLive(stores, path, LOCK)
  } catch (error) {
    throw new Error(`${stores.resolve(path)}: retention or a hold is at work on this log; try again later`, { cause: error })
  }
}
