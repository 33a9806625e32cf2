// Where registered servers are kept: in the database of `store.url`, for all gateways that share it, and without one in a file of the data directory.
import type { JsonObject, Migrations, Operator, Postgres, SqlRow, SqlValue, Stores } from '../plugin/index.ts'
import { useLateFile } from '../store/late-file.ts'

export interface Registration {
  readonly id: string
  /** As it was given, references and all. */
  readonly entry: JsonObject
  /** Who registered it, and when: ms since 1970. */
  readonly by: Operator
  readonly at: number
  /** Another with each change. */
  readonly revision: number
}

/** As one moment had them, the oldest first. */
export interface Registrations {
  /** Another with each change of any of them. */
  readonly version: number
  readonly all: readonly Registration[]
}

/** All of it rejects while they cannot be reached. */
export interface RegistrationStore {
  /** Undefined where nothing has changed since version `known`. */
  read(known?: number): Promise<Registrations | undefined>
  /** False where one of this id, or one that reads like it, is there. */
  add(registration: Omit<Registration, 'revision'>): Promise<boolean>
  /** False where it is not at this revision any more. */
  replace(registration: Pick<Registration, 'id' | 'entry' | 'revision'>): Promise<boolean>
  remove(registration: Pick<Registration, 'id' | 'revision'>): Promise<boolean>
  close(): Promise<void>
}

const FILE = 'servers.db'
const SCHEMA = 1
const S = 'mcpgw_server'

export const tables: Migrations = {
  schema: S,
  steps: [
    `-- Servers that were registered: gateways look at the version several times a second.
CREATE SCHEMA IF NOT EXISTS ${S};
CREATE TABLE ${S}.schema_version (version integer PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now());
INSERT INTO ${S}.schema_version (version) VALUES (1);
CREATE TABLE ${S}.state (one boolean PRIMARY KEY DEFAULT true CHECK (one), version bigint NOT NULL);
INSERT INTO ${S}.state (version) VALUES (0);
CREATE TABLE ${S}.server (key text PRIMARY KEY, id text NOT NULL, entry text NOT NULL, actor text NOT NULL, at bigint NOT NULL,
  revision bigint NOT NULL);`,
  ],
}

const TABLES = `CREATE TABLE state (version INTEGER NOT NULL) STRICT;
INSERT INTO state VALUES (0);
CREATE TABLE server (key TEXT PRIMARY KEY, id TEXT NOT NULL, entry TEXT NOT NULL, actor TEXT NOT NULL, at INTEGER NOT NULL,
  revision INTEGER NOT NULL) STRICT;
PRAGMA user_version = ${SCHEMA};`

export type RegistrationPlace = Pick<Stores, 'open' | 'resolve' | 'postgres'>

/** Rejects where the tables cannot be brought up or are of a later version. No file is made before something is registered. */
export async function openRegistrationStore(stores: RegistrationPlace): Promise<RegistrationStore> {
  const database = stores.postgres()
  if (database === undefined) return inFile(stores)
  try {
    await database.migrate(tables, 'apply')
    return inDatabase(database)
  } catch (error) {
    await database.close()
    throw error
  }
}

/** Equal for ids that read alike. */
export const keyOf = (id: string): string => id.normalize('NFKC').toLowerCase()

const SELECT = 'SELECT state.version AS version, server.id AS id, entry, actor, at, revision FROM'

function inDatabase(database: Postgres): RegistrationStore {
  // Invariant: whoever changes one has the row of the version: changes come one after the other.
  const moved = `WITH moved AS (UPDATE ${S}.state SET version = version + 1 RETURNING version)`
  const did = async (sql: string, ...params: SqlValue[]): Promise<boolean> => (await database.query(`${moved} ${sql}`, params)).length > 0
  return {
    async read(known) {
      if (known !== undefined) {
        const [row] = await database.query(`SELECT version FROM ${S}.state`)
        if (row?.version === known) return undefined
      }
      return readRows(await database.query(`${SELECT} ${S}.state LEFT JOIN ${S}.server ON true ORDER BY at, key`))
    },
    add: ({ id, entry, by, at }) =>
      did(
        `INSERT INTO ${S}.server SELECT $1, $2, $3, $4, $5::bigint, moved.version FROM moved ON CONFLICT DO NOTHING RETURNING id`,
        keyOf(id),
        id,
        JSON.stringify(entry),
        JSON.stringify(by),
        at,
      ),
    replace: ({ id, entry, revision }) =>
      did(
        `UPDATE ${S}.server SET entry = $2, revision = moved.version FROM moved WHERE key = $1 AND revision = $3 RETURNING id`,
        keyOf(id),
        JSON.stringify(entry),
        revision,
      ),
    remove: ({ id, revision }) =>
      did(`DELETE FROM ${S}.server USING moved WHERE key = $1 AND revision = $2 RETURNING id`, keyOf(id), revision),
    close: () => database.close(),
  }
}

function inFile(stores: RegistrationPlace): RegistrationStore {
  const file = useLateFile(stores, { name: FILE, schema: SCHEMA, tables: TABLES })
  async function did(sql: string, ...params: SqlValue[]): Promise<boolean> {
    const db = file.write()
    return db.transaction(() => {
      db.exec('UPDATE state SET version = version + 1')
      return db.prepare(sql).run(...params).changes > 0
    })
  }
  const version = '(SELECT version FROM state)'
  return {
    async read(known) {
      const db = file.read()
      if (db === undefined) return known === 0 ? undefined : { version: 0, all: [] }
      if (known !== undefined && db.prepare('SELECT version FROM state').get()?.version === known) return undefined
      return readRows(db.prepare(`${SELECT} state LEFT JOIN server ON true ORDER BY at, key`).all())
    },
    add: ({ id, entry, by, at }) =>
      did(`INSERT OR IGNORE INTO server VALUES (?, ?, ?, ?, ?, ${version})`, keyOf(id), id, JSON.stringify(entry), JSON.stringify(by), at),
    replace: ({ id, entry, revision }) =>
      did(`UPDATE server SET entry = ?, revision = ${version} WHERE key = ? AND revision = ?`, JSON.stringify(entry), keyOf(id), revision),
    remove: ({ id, revision }) => did('DELETE FROM server WHERE key = ? AND revision = ?', keyOf(id), revision),
    close: async () => file.close(),
  }
}

/** Throws where there is no version: the tables are not ours. */
function readRows(rows: readonly SqlRow[]): Registrations {
  const [first] = rows
  if (first === undefined) throw new Error('no version of the registered servers is kept')
  const all = rows.filter(({ id }) => id !== null).map(readRow)
  return { version: Number(first.version), all }
}

function readRow({ id, entry, actor, at, revision }: SqlRow): Registration {
  return {
    id: String(id),
    entry: JSON.parse(String(entry)) as JsonObject,
    by: JSON.parse(String(actor)) as Operator,
    at: Number(at),
    revision: Number(revision),
  }
}
