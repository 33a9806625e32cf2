// Starts what the suite is pointed at: the fixture alone, or the built gateway with the fixture as its only server.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startListening, startNode } from '../bench/processes.mjs'

const CLI = fileURLToPath(new URL('../../dist/core/cli.js', import.meta.url))
const FIXTURE = fileURLToPath(new URL('fixture/server.mjs', import.meta.url))
const READY_WITHIN_MS = 20_000
const POLL_MS = 50
// Above these are the ports that the system gives to outgoing connections.
const PORTS = { first: 20_000, count: 12_000 }

export const gatewayIsBuilt = () => existsSync(CLI)

/**
 * @param {'direct' | 'http' | 'stdio'} way to the fixture
 * @param {'legacy' | 'modern' | 'dual'} mode of the fixture
 * @param {string} dir for the gateway's config
 * @returns {Promise<{ url: string, complaints: () => string, stop: () => Promise<void> }>}
 */
export async function startTarget(way, mode, dir) {
  if (way === 'stdio') return startGateway({ command: process.execPath, args: [FIXTURE, '--stdio', '--mode', mode] }, dir)
  const port = await findPort()
  const fixture = await startListening([FIXTURE, '--mode', mode, '--port', String(port)])
  const url = `http://localhost:${port}/mcp`
  if (way === 'direct') return { url, complaints: fixture.complaints, stop: fixture.stop }
  const gateway = await startGateway({ url }, dir)
  return {
    ...gateway,
    stop: async () => {
      await gateway.stop()
      await fixture.stop()
    },
  }
}

/**
 * One server, bare names, no plugin: everything is allowed.
 * @param {{ url: string } | { command: string, args: string[] }} server
 * @param {string} dir
 */
export async function startGateway(server, dir) {
  mkdirSync(dir, { recursive: true })
  const port = await findPort()
  const config = join(dir, 'mcpgw.yaml')
  const content = {
    listen: { host: '127.0.0.1', port },
    names: 'bare',
    servers: [{ id: 'fixture', ...server }],
    plugins: [],
    store: { dir: join(dir, 'data') },
  }
  // JSON is YAML: no serialiser is needed.
  writeFileSync(config, JSON.stringify(content, null, 2))
  const started = startNode([CLI, 'run', '--config', config], { cwd: dir })
  started.child.stdout.resume()
  await waitUntilReady(started, `http://127.0.0.1:${port}/readyz`)
  return { url: `http://localhost:${port}/mcp`, complaints: started.complaints, stop: started.stop }
}

async function waitUntilReady(started, url) {
  const until = performance.now() + READY_WITHIN_MS
  while (performance.now() < until) {
    if (started.child.exitCode !== null) throw new Error(`the gateway ended: ${started.complaints()}`)
    const answer = await fetch(url).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.status === 200) return
    await sleep(POLL_MS)
  }
  await started.stop()
  throw new Error(`the gateway was not ready within ${READY_WITHIN_MS} ms: ${started.complaints()}`)
}

/** @returns {Promise<number>} a free one below the ephemeral range */
async function findPort() {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count)
    if (await isFree(port)) return port
  }
}

/** @returns {Promise<boolean>} */
function isFree(port) {
  return new Promise(resolve => {
    const server = createServer()
    server.on('error', () => resolve(false))
    server.listen(port, 'localhost', () => server.close(() => resolve(true)))
  })
}
