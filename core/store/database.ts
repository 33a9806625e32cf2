// One opened SQLite file behind the port: private to this user, in WAL mode, its durability set explicitly, newer schemas refused.
import { closeSync, constants, fchmodSync, fstatSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Database, OpenOptions, SqlRow, SqlValue, Statement } from '../plugin/store.ts'
import type { Driver, NativeDatabase, NativeStatement } from './driver.ts'
import { StoreFault } from './fault.ts'
import { makeFolder, refuseStrange } from './private-file.ts'

const BUSY_MS = 2000

/** WAL is kept in the file, `synchronous` is not: a driver reopens a WAL file with NORMAL, so it is set on every open. */
export function pragmas(durability: 'full' | 'os'): string {
  const synchronous = durability === 'full' ? 'FULL' : 'NORMAL'
  return `PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA trusted_schema = OFF;`
}

/** Throws a StoreFault where the file cannot be opened, is no database, or is newer than `options.schema`. */
export function openDatabase(driver: Driver, path: string, options: OpenOptions = {}): Database {
  const readOnly = options.readOnly ?? false
  let native: NativeDatabase | undefined
  try {
    if (path !== ':memory:') makeFile(path, readOnly)
    native = driver.open(path, readOnly)
    native.exec(readOnly ? `PRAGMA busy_timeout = ${BUSY_MS}` : pragmas(options.durability ?? 'full'))
    refuseNewer(native, path, options.schema)
    return wrap(native, path, driver.name)
  } catch (error) {
    native?.close()
    if (error instanceof StoreFault) throw error
    throw new StoreFault('store-unreadable', `${path}: cannot be opened: ${(error as Error).message}`, error)
  }
}

/** SQLite gives the -wal and -shm files the mode of the database file. */
function makeFile(path: string, readOnly: boolean): void {
  const found = statSync(path, { throwIfNoEntry: false })
  // A named pipe would be waited for, for ever and deaf to signals.
  if (found !== undefined && !found.isFile()) throw new StoreFault('store-unreadable', `${path}: not a regular file`)
  if (readOnly) {
    if (found === undefined) throw new StoreFault('store-missing', `${path}: no such file`)
    return
  }
  makeFolder(dirname(path))
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | (constants.O_NONBLOCK ?? 0), 0o600)
  try {
    const about = fstatSync(file)
    refuseStrange(path, about)
    if ((about.mode & 0o077) !== 0) fchmodSync(file, 0o600)
  } finally {
    closeSync(file)
  }
}

function refuseNewer(native: NativeDatabase, path: string, known: number | undefined): void {
  // Reads the header too, so a file that is no database fails here and not at the first query.
  const found = Number(native.prepare('PRAGMA user_version').get()?.user_version)
  if (known === undefined || found <= known) return
  throw new StoreFault(
    'store-newer',
    `${path}: written by a newer version (schema ${found}, this one knows ${known}); upgrade, or point it at another file`,
  )
}

function wrap(native: NativeDatabase, path: string, driver: Database['driver']): Database {
  const begin = native.prepare('BEGIN IMMEDIATE')
  const commit = native.prepare('COMMIT')
  let open = true
  return {
    path,
    driver,
    exec: sql => native.exec(sql),
    prepare: sql => wrapStatement(native.prepare(sql)),
    transaction(work) {
      begin.run()
      try {
        const result = work()
        commit.run()
        return result
      } catch (error) {
        rollBack(native)
        throw error
      }
    },
    purge() {
      native.exec('VACUUM')
      const { busy } = native.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() ?? {}
      if (Number(busy) !== 0)
        throw new StoreFault('store-unreadable', `${path}: is in use: what was deleted is still in its -wal; try again`)
    },
    close() {
      if (open) native.close()
      open = false
    },
  }
}

function rollBack(native: NativeDatabase): void {
  try {
    native.exec('ROLLBACK')
  } catch {
    // SQLite has rolled back by itself (disk full, I/O error); the first error is the one to report.
  }
}

function wrapStatement(statement: NativeStatement): Statement {
  return {
    run: (...params) => ({ changes: Number(statement.run(...params).changes) }),
    get(...params) {
      const row = statement.get(...params)
      return row === undefined ? undefined : plain(row)
    },
    all: (...params) => statement.all(...params).map(plain),
    *iterate(...params) {
      for (const row of statement.iterate(...params)) yield plain(row)
    },
  }
}

/** Integers that a number holds exactly become numbers; the row is the driver's own fresh object. */
function plain(row: SqlRow): SqlRow {
  for (const column in row) {
    const value: SqlValue | undefined = row[column]
    if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) row[column] = Number(value)
  }
  return row
}
