// catalog lock: writes down what the servers offer now, so that it can be reviewed, committed and compared.
import type { CommandIo } from 'mcpgw/plugin'
import type { Lock } from 'mcpgw/policy'
import { findChanges } from '../catalog/changes.ts'
import { writeLockFile } from '../catalog/lock-file.ts'
import { lockText } from '../catalog/lock-text.ts'
import { makeLock } from '../catalog/make-lock.ts'
import type { PolicyConfig } from '../config.ts'
import { askServers } from './ask-servers.ts'
import { showChanges } from './show-changes.ts'

export async function lockCatalog(io: CommandIo<PolicyConfig>): Promise<number> {
  const asked = await askServers(io)
  if (typeof asked === 'number') {
    if (asked === 3) io.err('nothing was written')
    return asked
  }
  const { path, lock: before, inspection, servers } = asked
  // Invariant: a lock of all servers keeps none that the config does not have any more.
  const lock = makeLock(inspection, servers, typeof io.options.server === 'string' ? before : undefined)
  const text = lockText(lock)
  try {
    await writeLockFile(path, text)
  } catch (error) {
    io.err(`error[lock]: ${path} cannot be written: ${(error as Error).message}`)
    return 3
  }
  const changes = before === undefined ? [] : findChanges(before, JSON.parse(text))
  if (io.json) io.out(JSON.stringify({ v: 1, file: path, servers: Object.keys(lock.servers), changes }))
  else {
    showChanges(io, changes)
    io.err(`${countTools(lock)} tools of ${Object.keys(lock.servers).length} servers are in ${path}`)
  }
  return 0
}

function countTools({ servers }: Lock): number {
  return Object.values(servers).reduce((sum, server) => sum + server.tools.length, 0)
}
