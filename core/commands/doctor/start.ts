// Starts one server for a moment: does it speak MCP, and does it keep its stdout for it.
import { systemClock } from '../../clock.ts'
import type { ChildServer, RemoteServer } from '../../config/schema.ts'
import { createCredentials } from '../../credentials/credentials.ts'
import { defaultLimits, Json } from '../../mcp/json.ts'
import type { Log } from '../../plugin/index.ts'
import { createCells } from '../../upstream/child/cells.ts'
import { createManagedTransport, type ManagedTransport } from '../../upstream/child/managed.ts'
import { createSupervisor, type Supervisor } from '../../upstream/child/supervisor.ts'
import { createEras } from '../../upstream/eras.ts'
import { createGate } from '../../upstream/gate.ts'
import { ServerLane } from '../../upstream/lane.ts'
import { createDialer } from '../../upstream/remote/dialer.ts'
import { createHttpTransport } from '../../upstream/remote/http.ts'
import { isTransportFault } from '../../upstream/transport.ts'
import type { Check } from './check.ts'
import { type ProbeServer, resolveServer } from './servers.ts'

const PATIENCE_MS = 10_000
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** What can be found without starting it comes first: its answer is clearer. */
export const startServer: ProbeServer = async (server, around) => {
  const found = await resolveServer(server, around)
  if (found.status !== 'ok') return found
  if (server.kind === 'rest') return { ...found, message: `${found.message}; plain HTTP, ${server.tools.length} tools` }
  const auth = server.kind === 'remote' ? server.auth : undefined
  const isOfCallers = auth !== undefined && auth.oauth === undefined && auth.gateway === undefined
  return isOfCallers
    ? { ...found, message: `${found.message}; it is not greeted, as each caller has a credential of his own` }
    : greet(server, around)
}

async function greet(server: ChildServer | RemoteServer, { scrub, secrets }: Parameters<ProbeServer>[1]): Promise<Omit<Check, 'name'>> {
  const dialer = createDialer()
  let token = ''
  const credentials = createCredentials({
    servers: [server],
    secrets,
    clock: systemClock,
    log: silent,
    onEvent({ type, detail }) {
      if (type === 'credential.obtained') token = `, with a token that is good for ${String(Number(detail.lifeS))} s`
    },
  })
  let child: ManagedTransport | undefined
  let supervisor: Supervisor | undefined
  const cells = createCells(silent)
  const lane = new ServerLane({
    server: { ...server, timeout: { ...server.timeout, startMs: Math.min(server.timeout.startMs, PATIENCE_MS) } },
    client: { info: Json.of({ name: 'mcpgw-doctor', version: '1' }), capabilities: Json.of({}) },
    limits: defaultLimits,
    gate: createGate({ server, clock: systemClock, log: silent }),
    clock: systemClock,
    log: silent,
    eras: createEras(systemClock),
    scrub: bytes => bytes,
    events: {
      notified() {},
      asked: async () => ({ kind: 'error', payload: Json.of({ code: -32601, message: 'not while being checked' }), code: 'client-cannot' }),
      opened() {},
      closed() {},
    },
    createTransport(_spoken) {
      if (server.kind === 'remote') {
        return createHttpTransport({
          url: new URL(server.url),
          headers: server.headers,
          credential: credentials.of(server, ''),
          maxBytes: defaultLimits.bytes,
          dialer,
          log: silent,
        })
      }
      supervisor = createSupervisor({ server: server.id, clock: systemClock, log: silent })
      child = createManagedTransport(server, { supervisor, clock: systemClock, log: silent, scrub, isBusy: () => false, cells })
      return child
    },
  })
  try {
    const ready = await lane.ready()
    if (isTransportFault(ready)) {
      const help =
        server.kind === 'child'
          ? 'run the command by hand; it must answer JSON-RPC on stdin and stdout'
          : `check the URL and its ${server.auth === undefined ? 'headers' : 'auth'}`
      const last = child?.stderrTail().at(-1)
      return { status: 'fail', message: `does not start: ${ready.detail}${last === undefined ? '' : `; it said: ${last}`}`, help }
    }
    const name = [ready.serverInfo.string('name'), ready.serverInfo.string('version')].filter(part => part !== undefined).join(' ')
    const stray = child?.stderrTail().filter(line => line.startsWith('stdout: ')).length ?? 0
    const isolation = supervisor?.health.isolation
    const held = isolation === undefined ? '' : `, isolation ${isolation}`
    const message = `${name || 'a server'} speaks MCP ${ready.protocolVersion}${held}${token}`
    if (stray === 0) return { status: 'ok', message }
    return {
      status: 'warn',
      message: `${message}, but prints ${stray} other lines on stdout`,
      help: 'stdout carries MCP alone; make it log to stderr',
    }
  } finally {
    await lane.close()
    await dialer.close()
    await credentials.close()
    cells.close()
  }
}
