// PostgreSQL behind the port: a small pool for what is read, a session of its own for each writer. The driver is loaded by the first use.
import type { Pool, PoolClient } from 'pg'
import type { Postgres, SqlRow, SqlValue } from '../../plugin/store.ts'
import { StoreFault } from '../fault.ts'
import { createWriter } from '../writer.ts'
import { clientConfig, nameAddress } from './address.ts'
import { sessionCommitters } from './committer.ts'
import { migrate } from './migrations.ts'

const CONNECTIONS = 4
const IDLE_MS = 10_000
// A server that fell silent; no query of ours takes as long.
const SILENT_MS = 120_000
/** The next query on that connection fails, and says why. */
const ignore = (): void => {}

export function openPostgres(url: string): Postgres {
  const name = nameAddress(url)
  let pool: Promise<Pool> | undefined
  async function openPool(): Promise<Pool> {
    const { Pool } = await import('pg')
    const opened = new Pool({
      ...clientConfig(url),
      max: CONNECTIONS,
      idleTimeoutMillis: IDLE_MS,
      query_timeout: SILENT_MS,
      allowExitOnIdle: true,
    })
    // An idle connection that ends is replaced by the next query.
    opened.on('error', () => {})
    return opened
  }
  const connections = (): Promise<Pool> => (pool ??= openPool())
  /** A connection of the pool for more than one query. */
  async function takeConnection(): Promise<PoolClient> {
    const client = await (await connections()).connect()
    // The pool does not listen to one that is given out; without a listener its end between two queries would end the process.
    client.on('error', ignore)
    return client
  }
  function giveBack(client: PoolClient, isUsable: boolean): void {
    client.off('error', ignore)
    client.release(!isUsable)
  }

  async function ask(
    on: Promise<Pick<Pool | PoolClient, 'query'>>,
    sql: string,
    params: readonly (SqlValue | readonly SqlValue[])[] = [],
  ): Promise<SqlRow[]> {
    try {
      return (await (await on).query<SqlRow>(sql, [...params])).rows
    } catch (error) {
      throw isAnswer(error) ? error : new StoreFault('store-unreadable', `${name}: ${(error as Error).message}`, error)
    }
  }

  return {
    name,
    query: (sql, params) => ask(connections(), sql, params),
    async snapshot() {
      const client = takeConnection()
      try {
        await ask(client, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
      } catch (error) {
        await client.then(
          one => giveBack(one, false),
          () => {},
        )
        throw error
      }
      return {
        query: (sql, params) => ask(client, sql, params),
        // A session that may be in a transaction is nobody else's.
        close: async () => giveBack(await client, false),
      }
    },
    async migrate(migrations, how) {
      const client = await takeConnection()
      try {
        return await migrate(client, name, migrations, how)
      } finally {
        giveBack(client, true)
      }
    },
    writer: ({ durability, statements, lock }) => createWriter(sessionCommitters({ url, durability, lock }, statements)),
    async isLocked(lock) {
      const [row] = await this.query(IS_LOCKED, [lock])
      return row !== undefined
    },
    async close() {
      await (await pool)?.end()
      pool = undefined
    },
  }
}

/** The server says that the statement is wrong or refused. All else (08: connection, 57: it shuts down) says nothing of what is stored. */
function isAnswer(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^(?!08|57)[0-9A-Z]{5}$/.test(code)
}

// A lock on a 64-bit key is listed by its halves.
const IS_LOCKED = `
SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (classid::bigint << 32 | objid::bigint) = hashtextextended($1, 0)`
