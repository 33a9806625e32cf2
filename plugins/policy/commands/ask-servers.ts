// What both catalog verbs begin with: the lock as it stands, and what the servers offer now.
import type { CommandIo, InspectedServer, Inspection } from 'mcpgw/plugin'
import type { Lock } from 'mcpgw/policy'
import { loadLock, lockPath } from '../catalog/lock-file.ts'
import type { PolicyConfig } from '../config.ts'

export interface Asked {
  readonly path: string
  readonly lock: Lock | undefined
  readonly inspection: Inspection
  readonly servers: readonly InspectedServer[]
}

/** The number is the exit code where it cannot be told: 2 the config or the lock, 3 a server. */
export async function askServers(io: CommandIo<PolicyConfig>): Promise<Asked | 2 | 3> {
  const { lock: file, server } = io.options
  const path = lockPath(typeof file === 'string' ? file : undefined, io.config, io.cwd)
  const lock = await loadLock(path)
  if (typeof lock === 'string') {
    io.err(`error[lock]: ${lock}\n  = help: take the file away and run mcpgw catalog lock`)
    return 2
  }
  const inspection = await io.inspect(typeof server === 'string' ? { only: [server] } : {})
  if ('failed' in inspection) {
    io.err(inspection.failed)
    return 2
  }
  if (typeof server === 'string' && inspection.servers.length === 0) {
    io.err(`error[server]: the config has no enabled server \`${server}\`\n  = help: mcpgw servers list`)
    return 2
  }
  const failed = inspection.servers.flatMap(one => ('failed' in one ? [one] : []))
  for (const { id, failed: why } of failed) io.err(`error[server]: \`${id}\` does not say what it offers: ${why}`)
  if (failed.length > 0) return 3
  return { path, lock, inspection, servers: inspection.servers.flatMap(one => ('failed' in one ? [] : [one])) }
}
