// Keyed digests of arguments and results: what is guessable must not be found by hashing guesses, so the key lies beside the log, not in it.
import { createHmac, createSecretKey, hash, randomBytes } from 'node:crypto'
import { closeSync, constants, fchmodSync, fstatSync, mkdirSync, openSync, readSync, writeFileSync } from 'node:fs'
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
  }
  const text = readKey(path).trim()
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new Error(`${path}: expected a key of 64 hex digits; restore it, or move it away to begin a new one`)
  const bytes = Buffer.from(text, 'hex')
  return {
    keyId: hash('sha256', bytes, 'hex').slice(0, 8),
    digest: createDigest(bytes),
  }
}

/** No link and no pipe is followed: what is made private is the key, and nothing is waited for. */
function readKey(path: string): string {
  const file = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  try {
    if (!fstatSync(file).isFile()) return ''
    fchmodSync(file, 0o600)
    const bytes = Buffer.alloc(LONGEST_KEY)
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(file)
  }
}

/** 64 hex digits and some white space. */
const LONGEST_KEY = 128
const BLOCK = 64
const SMALL = 16_384

/**
 * RFC 2104. What is small is hashed in one step each for the inner and the outer hash, from a buffer that begins with the padded key:
 * the objects of a streaming HMAC cost more than the hashing itself.
 */
export function createDigest(key: Uint8Array): (data: Uint8Array) => string {
  const secret = createSecretKey(key)
  const inner = Buffer.alloc(BLOCK + SMALL)
  const outer = Buffer.alloc(BLOCK + 32)
  for (let i = 0; i < BLOCK; i++) {
    inner[i] = (key[i] ?? 0) ^ 0x36
    outer[i] = (key[i] ?? 0) ^ 0x5c
  }
  return data => {
    if (data.length > SMALL) return `hmac-sha256:${createHmac('sha256', secret).update(data).digest('hex')}`
    inner.set(data, BLOCK)
    outer.write(hash('sha256', inner.subarray(0, BLOCK + data.length), 'binary'), BLOCK, 'latin1')
    return `hmac-sha256:${hash('sha256', outer, 'hex')}`
  }
}
