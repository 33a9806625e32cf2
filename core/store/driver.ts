// Picks the SQLite driver that this Node can load: better-sqlite3, or the built-in node:sqlite where its addon cannot be loaded.
import { createRequire } from 'node:module'
import type { Database, SqlRow, SqlValue } from '../plugin/store.ts'
import { StoreFault } from './fault.ts'

/** The part that both drivers have in common. Integers arrive as bigint. */
export interface NativeStatement {
  run(...params: SqlValue[]): { changes: number | bigint }
  get(...params: SqlValue[]): SqlRow | undefined
  all(...params: SqlValue[]): SqlRow[]
  iterate(...params: SqlValue[]): IterableIterator<SqlRow>
}
export interface NativeDatabase {
  exec(sql: string): void
  prepare(sql: string): NativeStatement
  close(): void
}

export interface Driver {
  readonly name: Database['driver']
  /** What a thread passes to `require` to get the same driver. */
  readonly module: string
  open(path: string, readOnly: boolean): NativeDatabase
}

interface BetterDatabase extends NativeDatabase {
  defaultSafeIntegers(on: boolean): void
}
interface BuiltinStatement extends NativeStatement {
  setReadBigInts(on: boolean): void
}
interface BuiltinDatabase extends NativeDatabase {
  prepare(sql: string): BuiltinStatement
}

/** `choice` is the environment variable MCPGW_SQLITE: `better`, `node`, or unset for the first that loads. */
export function loadDriver(choice: string | undefined = process.env.MCPGW_SQLITE): Driver {
  if (choice !== undefined && choice !== '' && choice !== 'better' && choice !== 'node') {
    throw new StoreFault('store-no-driver', `MCPGW_SQLITE is "${choice}"; it may be "better" or "node"`)
  }
  const better = choice === 'node' ? undefined : loadBetter()
  if (better !== undefined && !(better instanceof Error)) return better
  const builtin = choice === 'better' ? undefined : loadBuiltin()
  if (builtin !== undefined) return builtin
  const why = better === undefined ? '' : ` better-sqlite3 cannot be loaded (${better.message}).`
  throw new StoreFault(
    'store-no-driver',
    `no SQLite driver.${why} Run \`npm rebuild better-sqlite3\`, or use Node 22.13 or newer, which has SQLite built in`,
    better,
  )
}

function loadBetter(): Driver | Error {
  const require = createRequire(import.meta.url)
  try {
    const module = require.resolve('better-sqlite3')
    const Native = require(module) as new (path: string, options: object) => BetterDatabase
    // The addon itself is loaded by the first database, not by the import.
    new Native(':memory:', {}).close()
    return {
      name: 'better-sqlite3',
      module,
      open(path, readOnly) {
        const db = new Native(path, { readonly: readOnly, fileMustExist: readOnly })
        db.defaultSafeIntegers(true)
        return db
      },
    }
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function loadBuiltin(): Driver | undefined {
  const builtin: unknown = process.getBuiltinModule('node:sqlite')
  if (typeof builtin !== 'object' || builtin === null) return undefined
  const { DatabaseSync } = builtin as { DatabaseSync: new (path: string, options: object) => BuiltinDatabase }
  return {
    name: 'node:sqlite',
    module: 'node:sqlite',
    open(path, readOnly) {
      const db = new DatabaseSync(path, { readOnly })
      return {
        exec: sql => db.exec(sql),
        prepare(sql) {
          const statement = db.prepare(sql)
          statement.setReadBigInts(true)
          return statement
        },
        close: () => db.close(),
      }
    },
  }
}
