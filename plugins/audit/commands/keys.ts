// Whose signatures a command believes: those it is told of, else those whose verifiers lie beside the log.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { CommandIo } from 'mcpgw/plugin'
import type { AuditConfig } from '../config.ts'
import { readVerifier, type Trusted } from '../note.ts'
import { readVerifiers } from '../signing-key.ts'
import { signingPaths } from '../store/open.ts'

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
