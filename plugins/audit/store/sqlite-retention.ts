// Takes records out of a log file, so that their bytes do not stay in it; short transactions, for the gateway waits for each.
import type { Database, Stores } from 'mcpgw/plugin'
import { holdLive } from './liveness.ts'
import type { Retention } from './log-store.ts'
import { SCHEMA, setup } from './sqlite-tables.ts'

// No stream has this name, so that it is a lock of its own.
const LOCK = '\0retention'

const MOMENT_MS = 20
const BUSY_MS = 2000

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
      const began = performance.now()
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
      // A gateway that waits to write looks again and again, and comes first: it finds the file free more often than not.
      await pause(2 * (performance.now() - began))
    },
    async hold({ id, tenant, consumer, reason, at }) {
      db.prepare('INSERT INTO hold (id, tenant, consumer, reason, at) VALUES (?, ?, ?, ?, ?)').run(id, tenant, consumer, reason, at)
    },
    release: async id => db.transaction(() => removeRows(db, 'hold', new Set([id]))),
    async retire(subjects) {
      db.transaction(() => {
        const mark = db.prepare('INSERT OR IGNORE INTO retired (subject) VALUES (?)')
        for (const subject of subjects) mark.run(subject)
      })
    },
    async forget(subjects) {
      db.transaction(() => {
        removeRows(db, 'subject', new Set(subjects))
        const unmark = db.prepare('DELETE FROM retired WHERE subject = ?')
        for (const subject of subjects) unmark.run(subject)
      })
    },
    async overwrite() {
      for (let tries = 50; tries > 0; tries--) {
        if (emptyLog(db)) return undefined
        await pause(100)
      }
      return `${db.path}-wal, which somebody reads now; do it once more`
    },
    async close() {
      // Where somebody reads now, the next one empties it.
      emptyLog(db)
      db.close()
      release()
    },
  }
}

/**
 * The log beside the file has the pages as they were. Whoever wants to write waits while it is emptied: so what can be copied back is copied
 * before that, and readers are not waited for; false where there are any.
 */
function emptyLog(db: Database): boolean {
  db.exec(`PRAGMA wal_checkpoint(PASSIVE); PRAGMA busy_timeout = ${MOMENT_MS}`)
  try {
    return Number(db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.busy) === 0
  } finally {
    db.exec(`PRAGMA busy_timeout = ${BUSY_MS}`)
  }
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

/** All rows are written anew: a table has stale copies of rows where its pages were put in order, and a page that is emptied is overwritten whole. */
function removeRows(db: Database, table: 'hold' | 'subject', gone: ReadonlySet<string>): void {
  const kept = db
    .prepare(`SELECT * FROM ${table}`)
    .all()
    .filter(({ id }) => !gone.has(String(id)))
  db.exec(`DELETE FROM ${table}`)
  for (const row of kept) db.prepare(`INSERT INTO ${table} VALUES (${Object.keys(row).fill('?').join(', ')})`).run(...Object.values(row))
}

function lock(stores: Stores, path: string): () => void {
  try {
    return holdLive(stores, path, LOCK)
  } catch (error) {
    throw new Error(`${stores.resolve(path)}: retention or a hold is at work on this log; try again later`, { cause: error })
  }
}
