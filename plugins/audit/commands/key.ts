// `audit key`: prints the verifier, to be kept where the log is not.
import type { CommandIo } from 'mcpgw/plugin'
import type { AuditConfig } from '../config.ts'
import { verifierText } from '../note.ts'
import { readSigningKey } from '../signing-key.ts'
import { signingPaths } from '../store/open.ts'

export async function showKey(io: CommandIo<AuditConfig>): Promise<number> {
  const { key } = signingPaths(io.stores, io.config)
  try {
    const signer = readSigningKey(key)
    if (signer === undefined) {
      io.err(`audit key: ${key}: no such file; it is made when a gateway first starts on this log\n`)
      return 3
    }
    io.out(
      io.json
        ? `${JSON.stringify({ log: signer.name, verifier: verifierText(signer), file: key }, null, 2)}\n`
        : `${verifierText(signer)}\n`,
    )
    return 0
  } catch (error) {
    io.err(`audit key: ${(error as Error).message}\n`)
    return 3
  }
}
