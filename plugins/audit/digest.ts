// Keyed digests of arguments and results: what is guessable must not be found by hashing guesses, so the key lies beside the log, not in it.
import { createHmac, createSecretKey, hash, randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export interface Digester {
  /** First 8 hex digits of the key's own hash: tells which key made a digest. */
  readonly keyId: string
  /** `hmac-sha256:` and 64 hex digits. */
  digest(bytes: Uint8Array): string
}

/** Reads the 32-byte key at `path`, or makes it (mode 0600). Throws where the file holds anything else. */
export function loadDigester(path: string): Digester {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    writeFileSync(path, randomBytes(32).toString('hex'), { flag: 'wx', mode: 0o600, flush: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    chmodSync(path, 0o600)
  }
  const text = readFileSync(path, 'utf8').trim()
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new Error(`${path}: expected a key of 64 hex digits; restore it, or move it away to begin a new one`)
  const bytes = Buffer.from(text, 'hex')
  const key = createSecretKey(bytes)
  return {
    keyId: hash('sha256', bytes, 'hex').slice(0, 8),
    digest: data => `hmac-sha256:${createHmac('sha256', key).update(data).digest('hex')}`,
  }
}
