// The hash chain: how one record's text becomes its link to the record before it.
import { hash } from 'node:crypto'

/** Where a chain starts that has nothing before it. */
export const NO_LINK: Uint8Array = new Uint8Array(32)

const ZERO = Buffer.alloc(1)
// Most bodies fit: nothing is made for them.
const prefixed = Buffer.alloc(16_384)
const joined = Buffer.alloc(65)
joined[0] = 1

/**
 * `leaf = SHA-256(0x00 || body)`, `link = SHA-256(0x01 || prev || leaf)`; 32 bytes each. The leaf is that of RFC 6962, too.
 * The body's UTF-8 text is the canonical form: one line of JSON that holds every field, members in the order in which they were written.
 */
export function linkRecord(prev: Uint8Array, leaf: string): Buffer {
  joined.set(prev, 1)
  return Buffer.from(hashJoined(leaf), 'hex')
}

/** The leaf hash of stored bytes, as a binary string. */
export function leafOfBody(body: Uint8Array): string {
  if (body.length >= prefixed.length) return hash('sha256', Buffer.concat([ZERO, body]), 'binary')
  prefixed.set(body, 1)
  return hash('sha256', prefixed.subarray(0, body.length + 1), 'binary')
}

/** The same for the one who writes: `text` is a zero character followed by the body. */
export function leafOf(text: string): string {
  return hash('sha256', text, 'binary')
}

/** Hex of hex. Makes nothing but the text it returns. */
export function linkLeaf(prev: string, leaf: string): string {
  joined.write(prev, 1, 'hex')
  return hashJoined(leaf)
}

function hashJoined(leaf: string): string {
  joined.write(leaf, 33, 'latin1')
  return hash('sha256', joined, 'hex')
}
