// catalog diff: what the servers offer now, against what the lock says.
import type { CommandIo } from 'mcpgw/plugin'
import type { Lock } from 'mcpgw/policy'
import { findChanges } from '../catalog/changes.ts'
import { lockText } from '../catalog/lock-text.ts'
import { makeLock } from '../catalog/make-lock.ts'
import type { PolicyConfig } from '../config.ts'
import { askServers } from './ask-servers.ts'
import { showChanges } from './show-changes.ts'

/** 1 where they differ. */
export async function diffCatalog(io: CommandIo<PolicyConfig>): Promise<number> {
  const asked = await askServers(io)
  if (typeof asked === 'number') return asked
  const { path, lock, inspection, servers } = asked
  if (lock === undefined) {
    io.err(`error[lock]: there is no ${path}\n  = help: mcpgw catalog lock`)
    return 2
  }
  const { server } = io.options
  const now = JSON.parse(lockText(makeLock(inspection, servers))) as Lock
  const changes = findChanges(lock, now).filter(change => typeof server !== 'string' || change.server === server)
  if (io.json) io.out(JSON.stringify({ v: 1, same: changes.length === 0, changes }))
  else {
    showChanges(io, changes)
    io.err(
      changes.length === 0
        ? 'the servers offer what the lock says'
        : `${changes.length} differences\n  = help: review them, then mcpgw catalog lock`,
    )
  }
  return changes.length === 0 ? 0 : 1
}
