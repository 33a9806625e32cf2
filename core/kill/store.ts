// Where it is kept what operators want of all gateways at once, kills and restarts: a file of the data directory, and where `store.url` names a database, that, for all gateways that share it.
import type { Migrations, Operator, SqlRow, Stores } from '../plugin/index.ts'
import { useLateFile } from '../store/late-file.ts'
import { KINDS, type Kill, type KillKind, type KillTarget } from './kills.ts'

/** The last word that its connections and processes begin anew. */
export interface Restart {
  /** Its id. */
  readonly server: string
  /** ms since 1970. */
  readonly at: number
  readonly by: Operator
}

/** All of it rejects while they cannot be reached. */
export interface KillStore {
  /** Oldest first. */
  all(): Promise<readonly Kill[]>
  /** False where it is killed already: the first word stands. */
  set(kill: Kill): Promise<boolean>
  /** False where it was not killed. */
  lift(target: KillTarget): Promise<boolean>
  restarts(): Promise<readonly Restart[]>
  restart(one: Restart): Promise<void>
  close(): Promise<void>
}

const FILE = 'kills.db'
const SCHEMA = 2
const S = 'mcpgw_kill'

export const tables: Migrations = {
  schema: S,
  steps: [
    `-- What operators have killed: gateways look here several times a second.
CREATE SCHEMA IF NOT EXISTS ${S};
CREATE TABLE ${S}.schema_version (version integer PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now());
INSERT INTO ${S}.schema_version (version) VALUES (1);
CREATE TABLE ${S}.kill (kind text NOT NULL, name text NOT NULL, at bigint NOT NULL, actor text NOT NULL, because text,
  PRIMARY KEY (kind, name));`,
    `-- Servers that operators wanted to begin anew, and when they last did.
CREATE TABLE ${S}.restart (server text PRIMARY KEY, at bigint NOT NULL, actor text NOT NULL);
INSERT INTO ${S}.schema_version (version) VALUES (2);`,
  ],
}

export type KillPlace = Pick<Stores, 'open' | 'resolve' | 'postgres'>

/** Rejects where the tables cannot be brought up or are of a later version. No file is made before something is killed. */
export async function openKillStore(stores: KillPlace): Promise<KillStore> {
  const file = useLateFile(stores, { name: FILE, schema: SCHEMA, tables: TABLE })
  const run = (sql: string, ...params: (string | number | null)[]): number =>
    file
      .write()
      .prepare(sql)
      .run(...params).changes
  const database = stores.postgres()
  try {
    await database?.migrate(tables, 'apply')
  } catch (error) {
    await database?.close()
    throw error
  }
  const ask = (sql: string, ...params: (string | number | null)[]): Promise<SqlRow[]> => database!.query(sql, params)
  async function all(): Promise<readonly Kill[]> {
    // What was killed before there was a database stays so.
    const rows = [
      ...(file.read()?.prepare('SELECT * FROM kills').all() ?? []),
      ...(database === undefined ? [] : await ask(`SELECT * FROM ${S}.kill`)),
    ]
    return rows.map(readKill).toSorted((a, b) => a.at - b.at)
  }
  return {
    all,
    async set(kill) {
      if ((await all()).some(one => one.kind === kill.kind && one.name === kill.name)) return false
      const row = [kill.kind, kill.name, kill.at, JSON.stringify(kill.by), kill.because ?? null] as const
      if (database === undefined) return run('INSERT OR IGNORE INTO kills VALUES (?, ?, ?, ?, ?)', ...row) > 0
      return (await ask(`INSERT INTO ${S}.kill VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING kind`, ...row)).length > 0
    },
    async lift({ kind, name }) {
      const here = file.exists() ? run('DELETE FROM kills WHERE kind = ? AND name = ?', kind, name) : 0
      if (database === undefined) return here > 0
      const there = await ask(`DELETE FROM ${S}.kill WHERE kind = $1 AND name = $2 RETURNING kind`, kind, name)
      return here + there.length > 0
    },
    async restarts() {
      const rows = database === undefined ? file.read()?.prepare('SELECT * FROM restarts').all() : await ask(`SELECT * FROM ${S}.restart`)
      return (rows ?? []).map(({ server, at, actor }) => ({
        server: String(server),
        at: Number(at),
        by: JSON.parse(String(actor)) as Operator,
      }))
    },
    async restart({ server, at, by }) {
      const row = [server, at, JSON.stringify(by)] as const
      if (database === undefined) run('INSERT OR REPLACE INTO restarts VALUES (?, ?, ?)', ...row)
      else await ask(`INSERT INTO ${S}.restart VALUES ($1, $2, $3) ON CONFLICT (server) DO UPDATE SET at = $2, actor = $3`, ...row)
    },
    async close() {
      file.close()
      await database?.close()
    },
  }
}

const TABLE = `CREATE TABLE IF NOT EXISTS kills (
  kind TEXT NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL, actor TEXT NOT NULL, because TEXT, PRIMARY KEY (kind, name)) STRICT;
CREATE TABLE IF NOT EXISTS restarts (server TEXT PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL) STRICT;
PRAGMA user_version = ${SCHEMA};`

function readKill({ kind, name, at, actor, because }: SqlRow): Kill {
  if (!KINDS.includes(kind as KillKind)) throw new Error(`a kill of an unknown kind: ${String(kind)}`)
  const by = JSON.parse(String(actor)) as Operator
  return { kind: kind as KillKind, name: String(name), at: Number(at), by, ...(because !== null && { because: String(because) }) }
}
