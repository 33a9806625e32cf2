// For commands that need the servers: a gateway in this process without a listener, and a client of its own.

import type { Loaded } from '../config/load.ts'
import { connectLocally, type LocalClient } from '../downstream/local.ts'
import { createLog, type RootLog } from '../log.ts'
import { type OpenGateway, openGateway } from './open-gateway.ts'
import { renderFindings } from './render-findings.ts'
import { loadOrStarter } from './starter.ts'
import type { VerbIo } from './verb.ts'

export interface Session {
  readonly client: LocalClient
  readonly open: OpenGateway
  readonly loaded: Loaded
}

const STOP_MS = 3000

type Work = (session: Session) => Promise<number>

/** `plugins` false: only the servers are looked at, nothing is called, so nothing is to be recorded. */
export async function withGateway(io: VerbIo, work: Work, plugins = true): Promise<number> {
  const found = await loadOrStarter(io)
  if (found === 2) return 2
  return withLoaded(io, plugins ? found : { ...found, config: { ...found.config, plugins: [] } }, work)
}

/** Runs `work` against the gateway; 2 where it does not start, 3 where the client is refused. */
export async function withLoaded(io: VerbIo, loaded: Loaded, work: Work): Promise<number> {
  const log = quietLog(io, loaded)
  const open = await openGateway({ loaded, version: io.version, log, cwd: io.cwd, http: false, probe: false })
  if ('findings' in open) {
    io.err(renderFindings(open.findings, loaded, io.color.err))
    return 2
  }
  try {
    const client = await connectLocally({ relay: open.gateway.relay, view: open.gateway.views.all, name: 'mcpgw-cli' })
    if (!('session' in client)) {
      io.err(`error[${client.code}]: ${describe(client.payload.value)}\n`)
      return 3
    }
    return await work({ client, open, loaded })
  } finally {
    await open.stop(STOP_MS)
  }
}

/** What the user asked for is on stdout; of the log he sees what went wrong, or what he asked to see. */
export function quietLog(io: Pick<VerbIo, 'err'>, { config }: Loaded): RootLog {
  return createLog({ level: config.log === 'info' ? 'error' : config.log, write: line => io.err(line) })
}

/** The message of a JSON-RPC error object. */
export function describe(error: unknown): string {
  const message = typeof error === 'object' && error !== null && 'message' in error ? error.message : error
  return String(message)
}
