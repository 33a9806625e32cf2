// Cursors of merged lists: opaque, authenticated, and good only for the list, principal and session they were made for.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

const key = randomBytes(32)
const MAC_BYTES = 16

/** `scope` is everything that the cursor is bound to; `offset` is the index of the next item. */
export function sealCursor(scope: string, offset: number): string {
  return Buffer.concat([macOf(scope, offset), Buffer.from(String(offset))]).toString('base64url')
}

/** The offset, or `undefined` where the cursor was not made here for this scope. */
export function openCursor(scope: string, cursor: string): number | undefined {
  const bytes = Buffer.from(cursor, 'base64url')
  // Decoding is lenient: several texts give the same bytes, and only one of them is ours.
  if (bytes.toString('base64url') !== cursor) return undefined
  const offset = Number(bytes.subarray(MAC_BYTES).toString())
  if (bytes.length <= MAC_BYTES || !Number.isSafeInteger(offset) || offset < 0) return undefined
  return timingSafeEqual(bytes.subarray(0, MAC_BYTES), macOf(scope, offset)) ? offset : undefined
}

function macOf(scope: string, offset: number): Buffer {
  return createHmac('sha256', key).update(`${scope}\0${offset}`).digest().subarray(0, MAC_BYTES)
}
