// Requests for approval in the PostgreSQL database that several gateways share: each step is one statement.
import type { Postgres, SqlRow, SqlValue } from 'mcpgw/plugin'
import { tables } from './migrations.ts'
import { type ApprovalStore, COLUMNS, MOST_LISTED, readRow, toRow } from './store.ts'

const T = `${tables.schema}.request`
const MARKS = COLUMNS.map((_, at) => `$${at + 1}`).join(', ')
const OPEN = `INSERT INTO ${T} (${COLUMNS.join(', ')}) VALUES (${MARKS})
  ON CONFLICT (key) DO UPDATE SET ${COLUMNS.map(one => `${one} = excluded.${one}`).join(', ')}
  WHERE request.state = 'used' OR request.until <= $${COLUMNS.length + 1} RETURNING id`

/** Rejects where the tables cannot be brought up, or are of a later version. */
export async function postgresApprovals(database: Postgres): Promise<ApprovalStore> {
  await database.migrate(tables, 'apply').catch(async (error: unknown) => {
    await database.close()
    throw error
  })
  const all = (sql: string, ...params: SqlValue[]): Promise<SqlRow[]> => database.query(sql, params)
  const one = async (sql: string, ...params: SqlValue[]): Promise<SqlRow | undefined> => (await all(sql, ...params))[0]

  return {
    async find(key) {
      const row = await one(`SELECT * FROM ${T} WHERE key = $1`, key)
      return row && readRow(row)
    },
    async get(id) {
      const row = await one(`SELECT * FROM ${T} WHERE id = $1`, id)
      return row && readRow(row)
    },
    open: async (request, now) => (await all(OPEN, ...toRow(request), now)).length > 0,
    async replace(next) {
      const [id, , , , state, until, , revision, body] = toRow(next)
      const sql = `UPDATE ${T} SET state = $1, until = $2, revision = $3, body = $4 WHERE id = $5 AND revision = $6 RETURNING id`
      return (await all(sql, state!, until!, revision!, body!, id!, next.revision - 1)).length > 0
    },
    async countWaiting(tenant, principal, now) {
      const where = "tenant = $1 AND principal = $2 AND state = 'waiting' AND until > $3"
      return Number((await one(`SELECT count(*) AS n FROM ${T} WHERE ${where}`, tenant, principal, now))?.n)
    },
    list: async tenant =>
      (
        await all(`SELECT * FROM ${T} WHERE tenant = coalesce($1::text, tenant) ORDER BY at DESC, id LIMIT ${MOST_LISTED}`, tenant ?? null)
      ).map(readRow),
    forget: async before => void (await all(`DELETE FROM ${T} WHERE until < $1`, before)),
    erase: async ids => (await database.query(`DELETE FROM ${T} WHERE id = ANY($1::text[]) RETURNING id`, [ids])).length,
    close: () => database.close(),
  }
}
