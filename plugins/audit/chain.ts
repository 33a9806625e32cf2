// The hash chain: how one record's text becomes its link to the record before it.
import { hash } from 'node:crypto'

/** Where a chain starts that has nothing before it. */
export const NO_LINK: Uint8Array = new Uint8Array(32)

const ZERO = Buffer.alloc(1)
const joined = Buffer.alloc(65)
joined[0] = 1

/**
 * `leaf = SHA-256(0x00 || body)`, `link = SHA-256(0x01 || prev || leaf)`; 32 bytes each.
 * The body's UTF-8 text is the canonical form: one line of JSON that holds every field, members in the order in which they were written.
 */
export function linkRecord(prev: Uint8Array, body: string | Uint8Array): Buffer {
  joined.set(prev, 1)
  return Buffer.from(linkLeaf(typeof body === 'string' ? `\0${body}` : Buffer.concat([ZERO, body])), 'hex')
}

/** The same for the one who writes: links are hex, and `text` is a zero character followed by the body. Makes nothing but the text it returns. */
export function linkText(prev: string, text: string): string {
  joined.write(prev, 1, 'hex')
  return linkLeaf(text)
}

function linkLeaf(leaf: string | Uint8Array): string {
  joined.write(hash('sha256', leaf, 'binary'), 33, 'latin1')
  return hash('sha256', joined, 'hex')
}
