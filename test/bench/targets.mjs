// What is compared: the upstream itself, the raw hop and the gateway in four settings, for each pair of transports.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gatewayIsBuilt, PLUGIN_SETS, startGateway } from './gateway.mjs'
import { connectHttp } from './http-client.mjs'
import { startListening, startNode } from './processes.mjs'
import { connectStdio } from './stdio-client.mjs'

/** Downstream transport, then upstream transport. */
export const TOPOLOGIES = /** @type {const} */ (['http-http', 'http-stdio', 'stdio-http', 'stdio-stdio'])

const CONNECTIONS = 256
const fixture = (/** @type {string} */ name) => fileURLToPath(new URL(`../fixtures/upstream/${name}`, import.meta.url))
export const HTTP_SERVER = fixture('http-server.mjs')
export const STDIO_SERVER = fixture('stdio-server.mjs')

/**
 * @typedef {(typeof TOPOLOGIES)[number]} Topology
 * @typedef {'direct' | 'raw' | 'none' | 'policy' | 'os' | 'meter' | 'full' | 'all' | 'all-full' | 'postgres'} TargetName none, policy: the gateway with no plugin, with 100 rules; os, full: rules, audit (that durability) and redact; meter: as os, with meter; all, all-full: every plugin of a whole gateway, with an API key; postgres: as full, in a database
 *
 * @typedef {object} Target a process under test with a session open to it
 * @property {TargetName} name
 * @property {number} pid of the process whose CPU and memory count
 * @property {string} tool name of the echo tool here
 * @property {import('./http-client.mjs').Client} client
 * @property {() => Promise<void>} stop
 *
 * @typedef {object} Upstream
 * @property {import('./processes.mjs').Started} [server]
 * @property {number} [port] of the HTTP server that all targets share; absent = each target starts a stdio server of its own
 * @property {() => Promise<void>} stop
 */

/**
 * @param {Topology} topology
 * @param {number} toolCount
 * @returns {Promise<Upstream>}
 */
export async function startUpstream(topology, toolCount = 10) {
  if (topology.endsWith('-stdio')) return { stop: async () => {} }
  const server = await startListening([HTTP_SERVER], { TOOLS: String(toolCount) })
  return { server, port: server.port, stop: server.stop }
}

/**
 * @param {TargetName} name
 * @param {Topology} topology
 * @param {Upstream} upstream
 * @param {string} dir a folder for this run
 * @param {string} [database] URL, for the target `postgres`
 * @returns {Promise<Target>}
 */
export async function startTarget(name, topology, upstream, dir, database) {
  const started = await startProcess(name, topology, upstream, dir, database)
  try {
    const client = started.url === undefined ? await connectStdio(started) : await connectHttp(started.url, CONNECTIONS)
    const stop = () => client.close().then(started.stop)
    return { name, pid: started.pid, tool: toolName(name), client, stop }
  } catch (error) {
    await started.stop()
    throw new Error(`${name}: no session: ${error instanceof Error ? error.message : String(error)}\n${started.complaints()}`)
  }
}

/** @param {TargetName} name */
export const toolName = name => (name === 'direct' || name === 'raw' ? 'echo' : 'bench__echo')

/** @param {readonly TargetName[]} wanted */
export function skipUnbuilt(wanted) {
  return gatewayIsBuilt() ? wanted : wanted.filter(name => name === 'direct' || name === 'raw')
}

/**
 * The process alone, no session yet. A `url` means that it speaks HTTP.
 * @param {TargetName} name
 * @param {Topology} topology
 * @param {Upstream} upstream
 * @param {string} dir
 * @param {string} [database]
 * @returns {Promise<import('./processes.mjs').Started & { url?: string }>}
 */
export async function startProcess(name, topology, upstream, dir, database) {
  const upstreamUrl = `http://127.0.0.1:${upstream.port}/mcp`
  if (name === 'direct') {
    if (upstream.server === undefined) return startNode([STDIO_SERVER])
    return { ...upstream.server, url: upstreamUrl, stop: async () => {} }
  }
  if (name === 'raw') return startRaw(topology, upstream)
  return startGateway({
    dir: join(dir, `${topology}-${name}`),
    upstream: upstream.port === undefined ? { command: process.execPath, args: [STDIO_SERVER] } : { url: upstreamUrl },
    plugins: PLUGIN_SETS[name],
    downstream: topology.startsWith('stdio') ? 'stdio' : 'http',
    ...(name === 'postgres' && { database }),
  })
}

/**
 * @param {Topology} topology
 * @param {Upstream} upstream
 */
async function startRaw(topology, { port }) {
  const reached = port === undefined ? [process.execPath, STDIO_SERVER] : [String(port)]
  const args = [fixture(topology === 'http-http' ? 'raw-http-proxy.mjs' : `raw-${topology}.mjs`), ...reached]
  if (topology.startsWith('stdio')) return startNode(args)
  const started = await startListening(args)
  return { ...started, url: `http://127.0.0.1:${started.port}/mcp` }
}
