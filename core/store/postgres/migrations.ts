// Brings the tables of one owner to the version that this program knows, once, by a role that may.
import type { ClientBase } from 'pg'
import type { Migrations } from '../../plugin/store.ts'
import { StoreFault } from '../fault.ts'
import { readSteps } from './steps.ts'

/** The versions before and after; 0: there was nothing. `check`, `plan`: nothing is changed. */
export async function migrate(
  client: ClientBase,
  database: string,
  migrations: Migrations,
  how: 'apply' | 'check' | 'plan',
): Promise<{ readonly from: number; readonly to: number }> {
  const { schema } = migrations
  const steps = await readSteps(migrations)
  const to = steps.length
  const place = `${database}, schema ${schema}`
  const from = await readVersion(client, schema).catch((error: unknown) => {
    const what = 'its owner grants it to the role of the gateway, with the words of examples/deploy/grants.sql'
    throw isForbidden(error) ? new StoreFault('store-unreadable', `${place}: ${(error as Error).message}; ${what}`, error) : error
  })
  if (from > to)
    throw new StoreFault('store-newer', `${place}: written by a newer version (tables ${from}, this one knows ${to}); upgrade mcpgw`)
  if (from === to || how === 'plan') return { from, to }
  if (how === 'check') throw tooOld(place, from, to)
  const lock = `mcpgw migration of ${schema}`
  // Before the transaction: one that began earlier may not see yet what another process has made.
  await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [lock])
  try {
    await client.query('BEGIN')
    // Another process may have been here first.
    for (const step of steps.slice(await readVersion(client, schema))) await client.query(step)
    const reached = await readVersion(client, schema)
    if (reached !== to) throw new Error(`${place}: the steps say that they lead to version ${reached}, not ${to}`)
    await client.query('COMMIT')
    return { from, to }
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw isForbidden(error) ? tooOld(place, from, to, error) : error
  } finally {
    await client.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [lock]).catch(() => {})
  }
}

async function readVersion(client: ClientBase, schema: string): Promise<number> {
  const { rows } = await client.query('SELECT to_regclass($1) IS NULL AS missing', [`${schema}.schema_version`])
  if (Number((rows[0] as { missing: unknown }).missing) === 1) return 0
  const found = await client.query(`SELECT coalesce(max(version), 0) AS version FROM ${schema}.schema_version`)
  return Number((found.rows[0] as { version: unknown }).version)
}

const isForbidden = (error: unknown): boolean => (error as { code?: unknown }).code === '42501'

function tooOld(place: string, from: number, to: number, cause?: unknown): StoreFault {
  const is = from === 0 ? 'has no tables yet' : `has tables of version ${from}, this version needs ${to}`
  const code = from === 0 ? 'store-missing' : 'store-older'
  return new StoreFault(code, `${place}: ${is}; the owner of the database makes them, with \`mcpgw migrate\``, cause)
}
