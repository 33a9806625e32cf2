// A log in an SQLite file of the data directory: the embedded default.
import { statSync } from 'node:fs'
import type { Database, GroupWriter, Stores } from 'mcpgw/plugin'
import { holdLive, isLive } from './liveness.ts'
import type { LogStore } from './log-store.ts'
import { openSqliteExportPlace, readSqliteExportState } from './sqlite-export-place.ts'
import { createSqliteReader } from './sqlite-reader.ts'
import { openSqliteRetention } from './sqlite-retention.ts'
import { SCHEMA, setup, statements } from './sqlite-tables.ts'

export function sqliteStore(stores: Stores, path: string, durability: 'full' | 'os'): LogStore {
  const name = stores.resolve(path)
  return {
    name,
    async writer(stream) {
      const release = holdLive(stores, path, stream)
      try {
        const writer = await stores.writer(path, { durability, setup, statements, schema: SCHEMA })
        return { ...bound(writer, name), close: () => writer.close().finally(release) }
      } catch (error) {
        release()
        throw error
      }
    },
    async reader(how) {
      const db = stores.open(path, { readOnly: true, schema: SCHEMA })
      try {
        // KiB. What is read from end to end is not asked for again.
        db.exec('PRAGMA cache_size = -2000')
        // The moment is that of the first thing read.
        if (how === 'snapshot') db.exec('BEGIN')
        const tables = tablesOf(db)
        return createSqliteReader(db, tables, stream => isLive(stores, path, stream))
      } catch (error) {
        db.close()
        throw error
      }
    },
    async retention() {
      // Nothing is made where there is no log.
      stores.open(path, { readOnly: true, schema: SCHEMA }).close()
      return openSqliteRetention(stores, path)
    },
    exportPlace: async of => openSqliteExportPlace(stores, path, of),
    exportState: async of => readSqliteExportState(stores, path, of),
    async close() {},
  }
}

/**
 * Records nothing into a file that is not at its place any more: what is written there would be lost with the process.
 * It goes on once that very file is back.
 */
function bound(writer: GroupWriter, path: string): GroupWriter {
  const own = identify(path)
  let isThere: boolean | undefined
  // What is appended in one turn of the event loop is written as one, and looked after as one.
  const look = (): boolean => {
    if (isThere === undefined) {
      isThere = identify(path) === own
      setImmediate(() => {
        isThere = undefined
      })
    }
    return isThere
  }
  const ifThere = (work: () => Promise<void>): Promise<void> =>
    look() ? work() : Promise.reject(new Error(`${path}: was removed or replaced while it is written; put the file back`))
  return { ...writer, append: rows => ifThere(() => writer.append(rows)), recover: () => ifThere(() => writer.recover()) }
}

function identify(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path)
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}

function tablesOf(db: Database): ReadonlySet<string> {
  let names: string[]
  try {
    names = db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
      .all()
      .map(row => String(row.name))
    db.prepare('SELECT n FROM record LIMIT 1').get()
  } catch (error) {
    throw new Error(`${db.path}: is no audit log: ${(error as Error).message}`)
  }
  return new Set(names)
}
