// Storage as plugins get it: one SQLite port over whichever driver this Node has; PostgreSQL and Redis where the config names them.

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
  /** Rewrites the file, so that nothing of what was deleted is left in it or in the log beside it. Throws where somebody reads or writes all the while. */
  purge(): void
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
  /** Calls back where the writer fails while nothing is appended that could be rejected: a database that went away. Absent: the next append tells. */
  onFailure?(tell: (error: Error) => void): void
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
  /** A file of mode 0600 with this content, whole or not at all; nothing happens where there is one already, so that of two processes at once both find the same. */
  createPrivate(path: string, content: string | Uint8Array): void
  /** The database of `store.url`, unconnected so far; undefined where the config names none. Whoever opens it closes it. */
  postgres(): Postgres | undefined
  /** The Redis server of `store.redis`, unconnected so far; undefined where the config names none. Whoever opens it closes it. */
  redis(): Redis | undefined
}

/**
 * The tables of one owner in a PostgreSQL database: a schema of its own, and the SQL that leads from each version to the next, the first one from nothing:
 * as texts, or the URL of the folder (with a slash at its end) where they are the files `0001-NAME.sql`, `0002-NAME.sql`, ...
 * Each step says that it was made, in a row of `SCHEMA.schema_version (version integer)`.
 */
export interface Migrations {
  readonly schema: string
  readonly steps: readonly string[] | URL
}

/** A database on a PostgreSQL server. Errors are those of the server, or a fault with a `code` as of `Stores.open` (`store-unreadable`: it does not answer); no message has the password. */
export interface Postgres {
  /** For messages: `postgres://USER@HOST:PORT/DATABASE`. */
  readonly name: string
  /** One statement on any connection of a small pool. Rows as SQLite gives them: integers as number (bigint beyond 2^53), bytea as Uint8Array, booleans as 0 or 1, all else as text. */
  query(sql: string, params?: readonly (SqlValue | readonly SqlValue[])[]): Promise<SqlRow[]>
  /**
   * Brings the tables to the newest of `steps`, in one transaction; 0: there were none. `check`, and a role that may not: rejects where they are older.
   * `plan`: tells what `apply` would do, and changes nothing. Rejects where they are newer.
   */
  migrate(migrations: Migrations, how: 'apply' | 'check' | 'plan'): Promise<{ readonly from: number; readonly to: number }>
  /**
   * Group commit, each group in one transaction on a session of its own, which holds `lock` as long as it lives. Each of `statements` takes a whole
   * column of the appended rows as an array (`$1`: of all first params), and runs at most once a group, in the order of the list.
   */
  writer(options: { durability: 'full' | 'os'; statements: readonly string[]; lock: string }): Promise<GroupWriter>
  /** One moment of the database: all that is asked there sees the same. Close it soon: old rows cannot be cleaned away meanwhile. */
  snapshot(): Promise<Pick<Postgres, 'query' | 'close'>>
  /** Whether the session of a writer holds it; not any more once its process or its connection has ended. */
  isLocked(lock: string): Promise<boolean>
  close(): Promise<void>
}

/**
 * A Redis server, for what several gateways count together and may lose. It is there, or it is known to be gone, as when it says
 * nothing for 200 ms; nothing waits for it longer than 800 ms, nothing is kept until it is back, and it is tried again by itself.
 */
export interface Redis {
  /** For messages: `redis://USER@HOST:PORT/DATABASE`. */
  readonly name: string
  readonly state: RedisState
  /** Calls back at each change of `state.isUp`, until it is closed. */
  watch(tell: (state: RedisState) => void): void
  /** Begins to connect, and from then on keeps trying. Resolves after the first try, whatever came of it; never rejects. */
  connect(): Promise<void>
  /**
   * Runs a Lua script, atomically and in one round trip; `KEYS` and `ARGV` as in Redis. The server's own clock is `redis.call('TIME')`.
   * Rejects with a fault with a `code` as of `Stores.open`, at once while the server is gone; whether the script ran is then not known.
   */
  run(script: string, keys: readonly string[], args: readonly (string | number)[]): Promise<RedisReply>
  close(): Promise<void>
}

export interface RedisState {
  readonly isUp: boolean
  /** Ms since 1970. */
  readonly since: number
  /** While it is gone. */
  readonly why?: string
}

/** As Lua returns it: numbers are integers. Somebody else may have written what a script reads: check it. */
export type RedisReply = null | number | string | readonly RedisReply[]
