// Where sealed tokens lie: rows that say nothing of themselves, in a file of the data directory.
import type { Awaitable, SqlRow, Stores } from '../plugin/index.ts'

export interface Row {
  readonly id: string
  readonly sealed: Uint8Array
}

/** In a file or in a database; each of these is done whole or not at all. */
export interface Shelf {
  get(id: string): Awaitable<Uint8Array | undefined>
  put(row: Row): Awaitable<void>
  /** False where what lies there is not `before`. */
  replace(row: Row, before: Uint8Array): Awaitable<boolean>
  /** False where it does not lie there. */
  remove(row: Row): Awaitable<boolean>
  all(): Awaitable<readonly Row[]>
  revision(): Awaitable<Revision>
  /** Nothing of what was taken away is left. */
  purge(): Awaitable<void>
  /** What else gateways share in a database; not in a file. */
  readonly shared?: SharedRows
  close(): Awaitable<void>
}

/** Grows with each row that is taken away, and with each that is put there, whoever does it. */
export interface Revision {
  readonly taken: number
  /** Told where gateways share them. */
  readonly given?: number
}

export interface SharedRows {
  readonly visits: VisitRows
  /** Which of these lie on the shelf. */
  which(ids: readonly string[]): Promise<readonly string[]>
}

/** Visits of users that are under way. */
export interface VisitRows {
  /** False where there is no room. `visitor`: who it is, and for which server. */
  begin(row: Row, visitor: string, bounds: VisitBounds): Promise<boolean>
  get(id: string): Promise<Uint8Array | undefined>
  replace(row: Row, before: Uint8Array): Promise<boolean>
  remove(row: Row): Promise<boolean>
  all(): Promise<readonly Row[]>
  /** Of those that have ended nothing is left. */
  clear(): Promise<void>
}

/** `ofOne`: of one visitor; the oldest makes room for one more. */
export interface VisitBounds {
  readonly goodMs: number
  readonly ofOne: number
  readonly inAll: number
}

/** In the data directory. */
export const USER_TOKENS_FILE = 'credentials.db'

const SCHEMA = `
CREATE TABLE IF NOT EXISTS user_tokens (id TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS revision (one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL) STRICT;
INSERT OR IGNORE INTO revision VALUES (1, 0);
CREATE TRIGGER IF NOT EXISTS taken_away AFTER DELETE ON user_tokens BEGIN UPDATE revision SET revision = revision + 1; END;
`

export function openShelfFile(stores: Pick<Stores, 'open'>): Shelf {
  const database = stores.open(USER_TOKENS_FILE, { durability: 'full' })
  // No lock is taken for what is there.
  if (database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'taken_away'").get() === undefined)
    database.transaction(() => database.exec(SCHEMA))
  const run = (sql: string, ...params: (string | Uint8Array)[]): number => database.prepare(sql).run(...params).changes
  const keep = 'INSERT INTO user_tokens VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed'
  return {
    get: id => database.prepare('SELECT sealed FROM user_tokens WHERE id = ?').get(id)?.sealed as Uint8Array | undefined,
    put: ({ id, sealed }) => void run(keep, id, sealed),
    replace: ({ id, sealed }, before) => run('UPDATE user_tokens SET sealed = ? WHERE id = ? AND sealed = ?', sealed, id, before) > 0,
    remove: ({ id, sealed }) => run('DELETE FROM user_tokens WHERE id = ? AND sealed = ?', id, sealed) > 0,
    all: () => database.prepare('SELECT id, sealed FROM user_tokens').all().map(readRow),
    revision: () => ({ taken: Number(database.prepare('SELECT revision FROM revision').get()?.revision) }),
    purge: () => database.purge(),
    close: () => database.close(),
  }
}

export function readRow({ id, sealed }: SqlRow): Row {
  return { id: id as string, sealed: sealed as Uint8Array }
}
