// Embedded storage as plugins get it: one SQLite port over whichever driver this Node has.

export type SqlValue = null | number | bigint | string | Uint8Array
/** Integers beyond 2^53 come back as bigint; BLOBs as Uint8Array. */
export type SqlRow = Record<string, SqlValue>

export interface Statement {
  run(...params: SqlValue[]): { changes: number }
  get(...params: SqlValue[]): SqlRow | undefined
  all(...params: SqlValue[]): SqlRow[]
  /** Streams rows; the statement is busy until the iterator ends or is returned. */
  iterate(...params: SqlValue[]): IterableIterator<SqlRow>
}

/** A database of one process, opened in WAL mode; synchronous. */
export interface Database {
  readonly path: string
  readonly driver: 'better-sqlite3' | 'node:sqlite'
  exec(sql: string): void
  prepare(sql: string): Statement
  /** Runs `work` in one IMMEDIATE transaction; a throw rolls back and is rethrown. */
  transaction<T>(work: () => T): T
  close(): void
}

export interface OpenOptions {
  readonly readOnly?: boolean
  /** `full`: fsync at each commit (synchronous=FULL); `os`: survives a kill of the process, not of the machine. Default `full`. */
  readonly durability?: 'full' | 'os'
  /** Newest version of the tables that the caller knows (`PRAGMA user_version`, set by the owner); a file with a newer one is refused. */
  readonly schema?: number
}

/** Rows for one statement of a writer: `sql` is one of those given at opening. */
export interface Append {
  readonly sql: number
  readonly params: readonly SqlValue[]
}

/**
 * Group commit. `os`: everything appended in one turn of the event loop is one transaction, inline.
 * `full`: a writer thread commits what has gathered, with fsync, so that no fsync blocks the loop.
 */
export interface GroupWriter {
  /** Resolves once these rows are durable in the writer's mode, in the order of the calls; rejects where that is unknown. */
  append(rows: readonly Append[]): Promise<void>
  /** After a rejection every append rejects until this is called; it reopens the database. */
  recover(): Promise<void>
  close(): Promise<void>
}

export interface Stores {
  /** `path` relative to the data directory (`.mcpgw` by default) or absolute; `:memory:` is allowed. Creates folders, file mode 0600. */
  open(path: string, options?: OpenOptions): Database
  /** `setup` runs once, at opening (and at recovery): schema, pragmas of the owner. `statements` are the only ones appends may use. */
  writer(
    path: string,
    options: {
      durability: 'full' | 'os'
      setup: string
      statements: readonly string[]
      /** As in `OpenOptions`. */
      schema?: number
    },
  ): Promise<GroupWriter>
  /** Absolute path in the data directory. */
  resolve(path: string): string
  /** 32 random bytes of the caller's own, in a file that nobody else may read; made at the first use. Throws where something else is there. */
  key(path: string): Uint8Array
}
