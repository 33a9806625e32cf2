// A PostgreSQL server for tests: the one of this machine, or a cluster of our own from the installed binaries. With CI set its absence is a failure.
import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { afterAll } from 'vitest'
import { hasBinaries, startCluster } from './cluster.ts'

const LOCAL = ['root', 'postgres'].map(user => `postgres://${user}@127.0.0.1:5432/postgres`)

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2000 })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ super: string; fsync: string }>(
      "SELECT current_setting('is_superuser') AS super, current_setting('fsync') AS fsync",
    )
    return rows[0]?.super === 'on' && rows[0].fsync === 'on'
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

async function findServer(): Promise<string | undefined> {
  const given = process.env.MCPGW_TEST_POSTGRES
  for (const url of given === undefined ? LOCAL : [given]) if (await answers(url)) return url
  if (!hasBinaries()) return undefined
  const cluster = await startCluster()
  afterAll(() => cluster.remove())
  return cluster.url
}

/** Of a superuser, to the database `postgres`; undefined where there is no server. */
export const server: string | undefined = await findServer()
if (server === undefined) {
  const what = 'no PostgreSQL server, and no binaries to start one: install postgresql, or set MCPGW_TEST_POSTGRES'
  if (process.env.CI !== undefined) throw new Error(what)
  console.warn(`skipped: ${what}`)
}

const made: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const remove of made.reverse()) await remove()
})

/** On the server, as its superuser. */
export async function run(sql: string, url: string = server!, params?: unknown[]): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql, params)).rows as Record<string, unknown>[]
  } finally {
    await client.end()
  }
}

/** An empty database of its own; removed at the end of the file. */
export async function createDatabase(options = ''): Promise<string> {
  const name = `mcpgw_test_${randomBytes(6).toString('hex')}`
  await run(`CREATE DATABASE ${name} ${options}`)
  made.push(() => run(`DROP DATABASE ${name} WITH (FORCE)`))
  return withParts(server!, { database: name })
}

/** A role that may log in, with nothing granted; removed at the end of the file, with what it owns in `url`. */
export async function createRole(url: string): Promise<string> {
  const name = `mcpgw_test_${randomBytes(6).toString('hex')}`
  await run(`CREATE ROLE ${name} LOGIN PASSWORD 'password-of-${name}'`)
  made.push(async () => {
    await run(`DROP OWNED BY ${name} CASCADE`, url)
    await run(`DROP ROLE ${name}`)
  })
  return name
}

export function withParts(url: string, { user, password, database }: { user?: string; password?: string; database?: string }): string {
  const changed = new URL(url)
  if (user !== undefined) changed.username = user
  if (password !== undefined) changed.password = password
  if (database !== undefined) changed.pathname = `/${database}`
  return changed.href
}
