// The files that the config names to append to: one that is the log's own would destroy the log, and two for one file mix their lines.
import { closeSync, constants, openSync, readSync } from 'node:fs'
import type { Stores } from 'mcpgw/plugin'
import type { AuditConfig } from './config.ts'
import { signingPaths } from './store/open.ts'

const MAGIC = Buffer.from('SQLite format 3\0')
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
    if (isDatabase(path)) return `${field}: expected a file of lines, found ${path}, which is a database`
    const other = taken.get(path)
    if (other !== undefined) return `${field}: expected a file of its own, found that of ${other}`
    taken.set(path, field)
  }
  return undefined
}

/** Of another plugin, or of anybody: lines behind its end would destroy it. */
function isDatabase(path: string): boolean {
  try {
    // A pipe is not waited for.
    const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    try {
      const head = Buffer.alloc(MAGIC.length)
      return readSync(file, head, 0, head.length, 0) === head.length && head.equals(MAGIC)
    } finally {
      closeSync(file)
    }
  } catch {
    // What cannot be read now is told when it is written.
    return false
  }
}

function filesOf({ anchors, exports }: AuditConfig): (readonly [string, string])[] {
  return [
    ...anchors.flatMap((anchor, at) => ('file' in anchor ? [[`anchors[${at}].file`, anchor.file] as const] : [])),
    ...exports.flatMap(({ receiver }, at) => (receiver.kind === 'file' ? [[`exports[${at}].file`, receiver.path] as const] : [])),
  ]
}
