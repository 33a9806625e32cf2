// Starts the gateway as a user would: the built CLI with a config file in a folder of its own, whose disk is the one that is measured.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { BENCH_RULE, policyText } from './bundle.mjs'
import { startNode } from './processes.mjs'

export const CLI = fileURLToPath(new URL('../../dist/core/cli.js', import.meta.url))
const READY_WITHIN_MS = 15_000
const POLL_MS = 2
const RULES = 100
const TOOLS = 50

/** Of every HTTP client here, whether a plugin asks for one or none. */
export const BENCH_KEY = 'bench-7f3kq9wd2xm5'
const PLENTY = 1_000_000

/** @param {'os' | 'full'} durability */
const everything = durability => [
  { audit: { durability } },
  { ipfilter: { allow: ['127.0.0.0/8', '10.0.0.0/8'] } },
  { auth: { apiKeys: [{ id: 'bench', key: BENCH_KEY, name: 'Bench', consumerId: 'bench', roles: ['role-1', 'reader'] }] } },
  { ratelimit: { limits: [{ name: 'everybody', most: PLENTY, window: '1s' }] } },
  { policy: { files: ['bench.policy'] } },
  'redact',
  'meter',
]

/** The plugins of each gateway target, as they stand in the config file. */
export const PLUGIN_SETS = {
  none: [],
  policy: [{ policy: { files: ['bench.policy'] } }],
  os: [{ policy: { files: ['bench.policy'] } }, { audit: { durability: 'os' } }, 'redact'],
  meter: [{ policy: { files: ['bench.policy'] } }, { audit: { durability: 'os' } }, 'redact', 'meter'],
  full: [{ policy: { files: ['bench.policy'] } }, { audit: { durability: 'full' } }, 'redact'],
  cache: [{ policy: { files: ['bench.policy'] } }, { cache: { rules: [{ tools: 'bench/*', ttl: '1h' }] } }],
  'cache-os': [
    { policy: { files: ['bench.policy'] } },
    { audit: { durability: 'os' } },
    'redact',
    { cache: { rules: [{ tools: 'bench/*', ttl: '1h' }] } },
  ],
  all: everything('os'),
  'all-full': everything('full'),
  postgres: [{ policy: { files: ['bench.policy'] } }, { audit: { durability: 'full' } }, 'redact'],
}

export const gatewayIsBuilt = () => existsSync(CLI)

/**
 * Writes the config and gives the command line; nothing is started yet.
 * @param {object} about
 * @param {string} about.dir an empty folder for config and data
 * @param {object} about.upstream `{ url }` or `{ command, args }`
 * @param {readonly unknown[]} about.plugins
 * @param {'http' | 'stdio'} about.downstream
 * @param {string} [about.database] URL of a PostgreSQL database for the record
 * @param {string} [about.redis] URL of what gateways count together in
 * @param {object} [about.listen] more of the listener
 * @param {readonly string[]} [about.nodeArgs]
 */
export async function prepareGateway({ dir, upstream, plugins, downstream, database, redis, listen, nodeArgs = [] }) {
  mkdirSync(dir, { recursive: true })
  const port = await findFreePort()
  const config = join(dir, 'mcpgw.yaml')
  writeFileSync(join(dir, 'bench.policy'), policyText(RULES, TOOLS, BENCH_RULE))
  const content = {
    listen: { host: '127.0.0.1', port, ...listen },
    servers: [{ id: 'bench', ...upstream }],
    plugins,
    store: { dir: join(dir, 'data'), ...(database && { url: database }), ...(redis && { redis }) },
  }
  // JSON is YAML: no serialiser is needed.
  writeFileSync(config, JSON.stringify(content, null, 2))
  const args = [...nodeArgs, CLI, 'run', ...(downstream === 'stdio' ? ['--stdio'] : []), '--config', config]
  return { args, url: `http://127.0.0.1:${port}/mcp`, ready: `http://127.0.0.1:${port}/readyz` }
}

/** @param {Parameters<typeof prepareGateway>[0]} about */
export async function startGateway(about) {
  const { args, url, ready } = await prepareGateway(about)
  const started = startNode(args, { cwd: about.dir })
  if (about.downstream === 'stdio') return started
  await waitUntilReady(started, ready)
  return { ...started, url }
}

/**
 * @param {import('./processes.mjs').Started} started
 * @param {string} url answers 200 once the gateway serves
 */
async function waitUntilReady(started, url) {
  const until = performance.now() + READY_WITHIN_MS
  while (performance.now() < until) {
    if (started.child.exitCode !== null) throw new Error(`the gateway ended: ${started.complaints()}`)
    const answer = await fetch(url).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.status === 200) return
    await sleep(POLL_MS * 10)
  }
  await started.stop()
  throw new Error(`the gateway was not ready within ${READY_WITHIN_MS} ms: ${started.complaints()}`)
}

/** @returns {Promise<number>} */
function findFreePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
