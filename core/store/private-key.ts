// A key of the gateway's own: 32 random bytes in a file of the data directory that nobody else may read.
import { randomBytes } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { StoreFault } from './fault.ts'
import { createPrivateFile } from './private-file.ts'

export const KEY_BYTES = 32
const OTHERS = process.platform === 'win32' ? 0 : 0o077

/** Reads it, or makes it where there is none. Throws a StoreFault where there is something else, or something that others may read. */
export function openPrivateKey(path: string): Uint8Array {
  return readKey(path) ?? createKey(path)
}

function readKey(path: string): Uint8Array | undefined {
  let file: number
  try {
    // No link and no pipe is followed.
    file = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new StoreFault('store-unreadable', `${path}: cannot be read: ${(error as Error).message}`, error)
  }
  try {
    // Invariant: what is checked is what is read.
    const { mode, size } = fstatSync(file)
    const key = Buffer.alloc(KEY_BYTES)
    const isKey =
      (mode & constants.S_IFMT) === constants.S_IFREG && size === KEY_BYTES && readSync(file, key, 0, KEY_BYTES, 0) === KEY_BYTES
    if (!isKey) throw new StoreFault('store-unreadable', `${path}: no key of ${KEY_BYTES} bytes; move it away to begin a new one`)
    if ((mode & OTHERS) !== 0) throw new StoreFault('store-unreadable', `${path}: others may read it; move it away to begin a new one`)
    return key
  } finally {
    closeSync(file)
  }
}

function createKey(path: string): Uint8Array {
  createPrivateFile(path, randomBytes(KEY_BYTES))
  const key = readKey(path)
  if (key === undefined) throw new StoreFault('store-unreadable', `${path}: was taken away while it was made`)
  return key
}
