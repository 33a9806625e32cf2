// Three gateways on one PostgreSQL and one Redis beside one alone on them: calls a second of all together, with what must be recorded and counted by all.
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { gatewayIsBuilt, startGateway } from './gateway.mjs'
import { connectHttp } from './http-client.mjs'
import { measureCalls } from './measure.mjs'
import { echoCall, verifyCall } from './messages.mjs'
import { withDatabase } from './postgres.mjs'
import { formatTable } from './report.mjs'
import { runRounds } from './rounds.mjs'
import { median, medianRatio } from './statistics.mjs'
import { startUpstream } from './targets.mjs'

const AT_ONCE = 66
const MS = 2000
const KEY = 'audit.db.key'
const REDIS = process.env.MCPGW_TEST_REDIS ?? 'redis://127.0.0.1:6379/9'
const PLUGINS = [
  { policy: { files: ['bench.policy'] } },
  { ratelimit: { limits: [{ name: 'bench', most: 1_000_000, window: '10s' }] } },
  { audit: { durability: 'full' } },
  'redact',
]

/** @typedef {{ samples: Record<string, number[]>, server: string }} ClusterResults gateways -> calls/s, one a round */

/**
 * Undefined where there is no PostgreSQL.
 * @param {import('./run.mjs').Settings} settings
 * @returns {Promise<ClusterResults | undefined>}
 */
export async function benchCluster(settings) {
  if (!gatewayIsBuilt()) return undefined
  return withDatabase('cluster', settings, async (database, server) => {
    const upstream = await startUpstream('http-http')
    /** @type {{ stop(): Promise<void>, client: import('./http-client.mjs').Client }[]} */
    const gateways = []
    try {
      for (const dir of ['a', 'b', 'c'].map(name => join(settings.dir, 'cluster', name)))
        gateways.push(await startMember(dir, join(settings.dir, 'cluster', 'a'), database, `http://127.0.0.1:${upstream.port}/mcp`))
      const call = echoCall('bench__echo', 100)
      for (const { client } of gateways) await verifyCall(client, call)
      const targets = [1, 3].map(count => ({ name: String(count), of: gateways.slice(0, count) }))
      const step = {
        name: 'calls',
        /** @param {(typeof targets)[number]} target */
        async run({ of }) {
          const each = await Promise.all(
            of.map(({ client }) => measureCalls(client, call, AT_ONCE / of.length, MS * settings.windowFactor)),
          )
          return each.reduce((sum, { perSecond }) => sum + perSecond, 0)
        },
      }
      const measured = await runRounds(targets, [step], settings.rounds, text => settings.progress(`cluster: ${text}`))
      return { samples: Object.fromEntries(Object.entries(measured).map(([count, { calls = [] }]) => [count, calls])), server }
    } finally {
      await Promise.all(gateways.map(({ client, stop }) => client.close().then(stop)))
      await upstream.stop()
    }
  })
}

/** @param {string} dir @param {string} first of the gateway whose key all have: each can read what the others have written @param {string} database @param {string} url */
async function startMember(dir, first, database, url) {
  if (dir !== first) {
    mkdirSync(join(dir, 'data'), { recursive: true, mode: 0o700 })
    copyFileSync(join(first, 'data', KEY), join(dir, 'data', KEY))
  }
  const started = await startGateway({ dir, upstream: { url }, plugins: PLUGINS, downstream: 'http', database, redis: REDIS })
  const client = await connectHttp(/** @type {{ url: string }} */ (started).url, AT_ONCE)
  return { client, stop: started.stop }
}

/** @param {ClusterResults} results */
export function formatCluster({ samples, server }) {
  const one = samples['1'] ?? []
  const rows = Object.entries(samples).map(([count, each]) => [count, median(each).toFixed(0), medianRatio(each, one).toFixed(2)])
  const about = `${AT_ONCE} calls at once over all gateways on one machine, ${server}, Redis`
  return `${about}\n${formatTable([['gateways', 'calls/s', 'x one'], ...rows])}`
}
