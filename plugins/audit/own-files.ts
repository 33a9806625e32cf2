// The files that the config names to append to: one that is the log's own would destroy the log, and two for one file mix their lines.

import type { Stores } from 'mcpgw/plugin'
import type { AuditConfig } from './config.ts'
import { signingPaths } from './store/open.ts'

// What lies beside the log, by how its name goes on.
const BESIDE = /^(?:-(?:wal|shm|journal)|-live-.*|\.key|\.signing-key|\.verifier|\.export-.*)?$/

/** Undefined where each is a file of its own. */
export function findClash(config: AuditConfig, stores: Stores): string | undefined {
  const log = stores.resolve(config.path)
  const { key } = signingPaths(stores, config)
  const isOwn = (path: string): boolean => path === key || (path.startsWith(log) && BESIDE.test(path.slice(log.length)))
  const taken = new Map<string, string>()
  for (const [field, file] of filesOf(config)) {
    const path = stores.resolve(file)
    if (isOwn(path)) return `${field}: expected a file of its own, found ${path}, which belongs to the log itself`
    const other = taken.get(path)
    if (other !== undefined) return `${field}: expected a file of its own, found that of ${other}`
    taken.set(path, field)
  }
  return undefined
}

function filesOf({ anchors, exports }: AuditConfig): (readonly [string, string])[] {
  return [
    ...anchors.flatMap((anchor, at) => ('file' in anchor ? [[`anchors[${at}].file`, anchor.file] as const] : [])),
    ...exports.flatMap(({ receiver }, at) => (receiver.kind === 'file' ? [[`exports[${at}].file`, receiver.path] as const] : [])),
  ]
}
