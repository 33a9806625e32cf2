// `policy check --live`: what the servers of the config offer now, as the catalog that policies are checked by.
import type { Diagnostic, Lock, Source } from 'mcpgw/policy'
import { readLock } from 'mcpgw/policy'
import { lockText } from '../catalog/lock-text.ts'
import { makeLock } from '../catalog/make-lock.ts'
import type { Io } from './inputs.ts'

export interface Live {
  /** Names the servers that did not answer; absent where what they offer is no catalog. */
  readonly lock?: Lock
  readonly findings: readonly Diagnostic[]
  readonly source: Source
}

const LIVE = '<servers>'

/** Undefined where the config does not start; then stderr says why. */
export async function readLive(io: Io): Promise<Live | undefined> {
  if ((await io.loadConfig()) === undefined) return undefined
  const inspection = await io.inspect()
  if ('failed' in inspection) {
    io.err(inspection.failed)
    return undefined
  }
  const answered = inspection.servers.flatMap(one => ('failed' in one ? [] : [one]))
  const unreached = inspection.servers.flatMap(one => ('failed' in one ? [{ id: one.id, why: one.failed.split('\n', 1)[0]! }] : []))
  // Through its text, so that numbers and names are what a lock file would have of them.
  const source = { file: LIVE, text: lockText(makeLock(inspection, answered)) }
  const { lock, diagnostics } = readLock(source.text, LIVE)
  return { findings: diagnostics, source, ...(lock !== undefined && { lock: { ...lock, unreached } }) }
}
