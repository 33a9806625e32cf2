// Bytes of records as Node.js reads and prints them, without a copy of them being made.
import { Buffer } from 'node:buffer'

export const viewOf = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Hex. */
export const hexOf = (bytes: Uint8Array): string => viewOf(bytes).toString('hex')
