// Whose signatures a command believes: those it is told of, else those whose verifiers lie beside the log; and what was signed and kept elsewhere.
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { CommandIo } from 'mcpgw/plugin'
import type { AuditConfig } from '../config.ts'
import { readVerifier, type Trusted } from '../note.ts'
import { readVerifiers } from '../signing-key.ts'
import { signingPaths } from '../store/open.ts'
import { readTrustedNotes, type TrustedNotes } from '../trusted-notes.ts'

/** None where there is nothing to believe. A string says what is wrong. */
export function readKeys(io: CommandIo<AuditConfig>): readonly Trusted[] | string {
  const { key } = io.options
  if (typeof key === 'string') {
    const one = readVerifier(key)
    return one === undefined ? readVerifiers(resolve(io.cwd, key)) : [one]
  }
  const { verifier } = signingPaths(io.stores, io.config)
  return existsSync(verifier) ? readVerifiers(verifier) : []
}

/** Of `--checkpoint`. A string says why they prove nothing. */
export function readCheckpoints(io: CommandIo<AuditConfig>, keys: readonly Trusted[]): TrustedNotes | string {
  const { checkpoint } = io.options
  if (typeof checkpoint !== 'string') return { checkpoints: [], unreadable: 0 }
  if (keys.length === 0) return '--checkpoint needs --key: the verifier that `mcpgw audit key` printed'
  try {
    const notes = readTrustedNotes(readFileSync(resolve(io.cwd, checkpoint), 'utf8'), keys)
    return notes.checkpoints.length > 0
      ? notes
      : `${checkpoint}: expected checkpoints signed by ${keys.map(one => one.name).join(' or ')}, found none`
  } catch (error) {
    return `${checkpoint}: ${(error as Error).message}`
  }
}
