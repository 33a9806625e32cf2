// Keyed digests of arguments and results: what is guessable must not be found by hashing guesses.
import { createHmac, createSecretKey, hash } from 'node:crypto'

const BLOCK = 64
const SMALL = 16_384
const inner = Buffer.alloc(BLOCK + SMALL)
const outer = Buffer.alloc(BLOCK + 32)

/**
 * RFC 2104; `hmac-sha256:` and 64 hex digits. What is small is hashed in one step each for the inner and the outer hash, from a buffer that begins
 * with the padded key: the objects of a streaming HMAC cost more than the hashing itself.
 */
export function createDigest(key: Uint8Array): (data: Uint8Array) => string {
  const secret = createSecretKey(key)
  const innerPad = pad(key, 0x36)
  const outerPad = pad(key, 0x5c)
  return data => {
    if (data.length > SMALL) return `hmac-sha256:${createHmac('sha256', secret).update(data).digest('hex')}`
    inner.set(innerPad)
    inner.set(data, BLOCK)
    outer.set(outerPad)
    outer.write(hash('sha256', inner.subarray(0, BLOCK + data.length), 'binary'), BLOCK, 'latin1')
    return `hmac-sha256:${hash('sha256', outer, 'hex')}`
  }
}

function pad(key: Uint8Array, value: number): Uint8Array {
  return Uint8Array.from({ length: BLOCK }, (_, i) => (key[i] ?? 0) ^ value)
}
