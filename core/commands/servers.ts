// `mcpgw servers list|status`: what is configured, and how it is.

import type { ServerConfig } from '../config/schema.ts'
import { alignColumns } from '../plugin/index.ts'
import type { ShownServer } from '../upstream/board.ts'
import { loadOrStarter } from './starter.ts'
import type { VerbIo } from './verb.ts'
import { withGateway } from './with-gateway.ts'

const ASK_MS = 2000

export async function listServers(io: VerbIo): Promise<number> {
  const loaded = await loadOrStarter(io)
  if (loaded === 2) return 2
  const rows = loaded.config.servers.map(server => ({
    id: server.id,
    name: server.name,
    enabled: server.enabled,
    kind: server.kind,
    target: targetOf(server),
  }))
  if (io.json) io.out(`${JSON.stringify({ servers: rows }, null, 2)}\n`)
  else io.out(alignColumns(rows.map(row => [`${row.enabled ? '*' : ' '} ${row.id}`, row.name, row.target])))
  return 0
}

/** 0 where every enabled server is ready, 1 otherwise. */
export async function showStatus(io: VerbIo): Promise<number> {
  const loaded = await loadOrStarter(io)
  if (loaded === 2) return 2
  const { host, port } = loaded.config.listen
  const running = await askRunning(`http://${host.includes(':') ? `[${host}]` : host}:${port}/healthz`)
  if (running !== undefined) return show(io, running, 'the running gateway')
  return withGateway(
    io,
    async ({ open }) => {
      await open.gateway.pool.probe(open.gateway.views.all.servers)
      return show(io, open.gateway.board.list(), 'a trial start: no gateway is running')
    },
    false,
  )
}

async function askRunning(url: string): Promise<readonly ShownServer[] | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ASK_MS) })
    const body = (await response.json()) as { readonly servers?: readonly ShownServer[] }
    return Array.isArray(body.servers) ? body.servers : undefined
  } catch {
    return undefined
  }
}

function show(io: VerbIo, servers: readonly ShownServer[], source: string): number {
  const ready = servers.every(({ state, calls }) => state === 'ready' && calls.breaker === 'closed')
  if (io.json) io.out(`${JSON.stringify({ ok: ready, source, servers }, null, 2)}\n`)
  else {
    const rows = servers.map(({ server, state, pids, isolation, restarts, lastFailure, protocol, calls }) => {
      const more = [
        protocol === undefined ? '' : `MCP ${protocol}`,
        pids.length > 0 ? `pid ${pids.join(', ')}` : '',
        isolation === undefined ? '' : `isolation ${isolation}`,
        restarts > 0 ? `${restarts} restarts` : '',
        state === 'ready' ? '' : (lastFailure ?? ''),
        calls.breaker === 'closed' ? '' : `breaker ${calls.breaker}: ${calls.why ?? ''}`,
        calls.underWay > 0 ? `${calls.underWay} calls under way` : '',
        calls.waiting > 0 ? `${calls.waiting} waiting` : '',
      ]
      return [server, state, more.filter(text => text !== '').join(', ')]
    })
    io.out(alignColumns(rows))
    io.err(`\nfrom ${source}\n`)
  }
  return ready ? 0 : 1
}

function targetOf(server: ServerConfig): string {
  return server.kind === 'child' ? [server.command, ...server.args].join(' ') : server.url
}
