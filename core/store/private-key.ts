// A key of the gateway's own: 32 random bytes in a file of the data directory that nobody else may read.
import { randomBytes } from 'node:crypto'
import { readOwnFile } from '../plugin/own-file.ts'
import { StoreFault } from './fault.ts'
import { createPrivateFile } from './private-file.ts'

export const KEY_BYTES = 32

/** Reads it, or makes it where there is none. Throws a StoreFault where there is something else, or something that others may read. */
export function openPrivateKey(path: string): Uint8Array {
  return readKey(path) ?? createKey(path)
}

function readKey(path: string): Uint8Array | undefined {
  const found = readOwnFile(path, { isSecret: true, noLink: true, maxBytes: KEY_BYTES })
  switch (found.kind) {
    case 'missing':
      return undefined
    case 'unreadable':
      throw new StoreFault('store-unreadable', `${path}: cannot be read: ${found.code}`)
    case 'open':
      throw new StoreFault('store-unreadable', `${path}: others may read it; move it away to begin a new one`)
    case 'strange':
      throw new StoreFault('store-unreadable', `${path}: ${found.why}`)
    case 'read':
      if (found.bytes.length === KEY_BYTES) return found.bytes
  }
  throw new StoreFault('store-unreadable', `${path}: no key of ${KEY_BYTES} bytes; move it away to begin a new one`)
}

function createKey(path: string): Uint8Array {
  createPrivateFile(path, randomBytes(KEY_BYTES))
  const key = readKey(path)
  if (key === undefined) throw new StoreFault('store-unreadable', `${path}: was taken away while it was made`)
  return key
}
