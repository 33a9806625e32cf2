// The record in PostgreSQL, each call waiting for its two commits: calls one after the other, and 64 at once, beside the raw hop and the file.
import { Client } from 'pg'
import { measureCalls, warmUp } from './measure.mjs'
import { echoCall, verifyCall } from './messages.mjs'
import { runRounds } from './rounds.mjs'
import { skipUnbuilt, startTarget, startUpstream } from './targets.mjs'

const SMALL = 100
const STEPS = /** @type {const} */ ([
  { name: 'at1', concurrent: 1, ms: 400 },
  { name: 'at64', concurrent: 64, ms: 1000 },
])
const SERVERS =
  process.env.MCPGW_TEST_POSTGRES?.split(' ') ?? ['root', 'postgres'].map(user => `postgres://${user}@127.0.0.1:5432/postgres`)

/**
 * @typedef {object} PostgresResults
 * @property {Record<string, Record<string, import('./measure.mjs').Sample[]>>} samples target -> step -> one a round
 * @property {string} server version and settings that count
 * @property {Record<string, string>} failed target -> why it was not measured
 */

/**
 * Undefined where there is no server.
 * @param {import('./run.mjs').Settings} settings
 * @returns {Promise<PostgresResults | undefined>}
 */
export const benchPostgres = settings => withDatabase('postgres', settings, (database, server) => measure(settings, database, server))

/**
 * A database for as long as `work` takes; undefined where there is no server.
 * @template R
 * @param {string} part
 * @param {import('./run.mjs').Settings} settings
 * @param {(url: string, server: string) => Promise<R>} work
 * @returns {Promise<R | undefined>}
 */
export async function withDatabase(part, settings, work) {
  const admin = await connect()
  if (admin === undefined) {
    settings.progress(`${part}: no server on 127.0.0.1:5432, and MCPGW_TEST_POSTGRES names none: not measured`)
    return undefined
  }
  const name = `mcpgw_bench_${part}_${process.pid}`
  await admin.client.query(`CREATE DATABASE ${name}`)
  const url = new URL(admin.url)
  url.pathname = `/${name}`
  try {
    return await work(url.href, admin.server)
  } finally {
    await admin.client.query(`DROP DATABASE ${name} WITH (FORCE)`)
    await admin.client.end()
  }
}

/**
 * @param {import('./run.mjs').Settings} settings
 * @param {string} database
 * @param {string} server
 * @returns {Promise<PostgresResults>}
 */
async function measure(settings, database, server) {
  const upstream = await startUpstream('http-http')
  /** @type {import('./targets.mjs').Target[]} */
  const targets = []
  /** @type {Record<string, string>} */
  const failed = {}
  try {
    for (const target of skipUnbuilt(['raw', 'full', 'postgres'])) {
      try {
        const started = await startTarget(target, 'http-http', upstream, `${settings.dir}/database`, database)
        targets.push(started)
        await verifyCall(started.client, echoCall(started.tool, SMALL))
        settings.progress(`postgres: ${target}: many calls first`)
        await warmUp(started.client, echoCall(started.tool, SMALL), settings.windowFactor)
      } catch (error) {
        failed[target] = String(error)
        settings.progress(`postgres: ${target} is not measured: ${String(error)}`)
      }
    }
    const measured = targets.filter(target => failed[target.name] === undefined)
    const steps = STEPS.map(({ name: step, concurrent, ms }) => ({
      name: step,
      run: (/** @type {import('./targets.mjs').Target} */ { client, tool }) =>
        measureCalls(client, echoCall(tool, SMALL), concurrent, ms * settings.windowFactor),
    }))
    const samples = await runRounds(measured, steps, settings.rounds, text => settings.progress(`postgres: ${text}`))
    return { samples, server, failed }
  } finally {
    await Promise.all(targets.map(target => target.stop()))
    await upstream.stop()
  }
}

async function connect() {
  for (const url of SERVERS) {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 2000 })
    client.on('error', () => {})
    try {
      await client.connect()
      const { rows } = await client.query(
        "SELECT current_setting('server_version') AS version, current_setting('synchronous_commit') AS commit, current_setting('fsync') AS fsync",
      )
      const { version, commit, fsync } = rows[0]
      return { url, client, server: `PostgreSQL ${version}, synchronous_commit ${commit}, fsync ${fsync}` }
    } catch {
      await client.end().catch(() => {})
    }
  }
  return undefined
}
