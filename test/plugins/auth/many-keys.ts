// Many keys in a store at once, and stores that count the rows which are read from them.
import type { Database, Postgres, Stores } from 'mcpgw/plugin'
import { run as sql } from '../../postgres/server.ts'

const one = (n: string): string =>
  `'many' || ${n}, %digest%, 'Agent ' || ${n}, 'agent-' || ${n}, '["reader"]', 'acme', 1767225600000, 1798761600000 + ${n} * 1000, NULL, '{}'`

/** Into `keys.db`, whose tables are there: ids `many1` and so on. */
export function fillFile(stores: Stores, count: number): void {
  const db = stores.open('keys.db')
  db.prepare(
    `INSERT INTO keys (id, digest, name, principal, roles, tenant, created_at, expires_at, revoked_at, claims)
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT ${one('i').replace('%digest%', 'randomblob(32)')} FROM n`,
  ).run(count)
  db.close()
}

export async function fillDatabase(url: string, count: number): Promise<void> {
  const digest = 'sha256(gen_random_uuid()::text::bytea)'
  await sql(
    `INSERT INTO mcpgw_auth.key (id, digest, name, principal, roles, tenant, created_at, expires_at, revoked_at, claims)
      SELECT ${one('i').replace('%digest%', digest)} FROM generate_series(1, ${count}) AS i`,
    url,
  )
}

/** `rows.read` grows with each row that is read through `stores`. */
export function countRows(stores: Stores): { readonly stores: Stores; readonly rows: { read: number } } {
  const rows = { read: 0 }
  const counted = <Rows>(found: Rows): Rows => {
    rows.read += Array.isArray(found) ? found.length : Number(found !== undefined)
    return found
  }
  const ofFile = (db: Database): Database => ({
    ...db,
    prepare(text) {
      const statement = db.prepare(text)
      return { ...statement, all: (...given) => counted(statement.all(...given)), get: (...given) => counted(statement.get(...given)) }
    },
  })
  const ofServer = (database: Postgres): Postgres => ({
    ...database,
    query: async (...given) => counted(await database.query(...given)),
  })
  return {
    rows,
    stores: {
      ...stores,
      open: (...given) => ofFile(stores.open(...given)),
      postgres() {
        const database = stores.postgres()
        return database && ofServer(database)
      },
    },
  }
}
