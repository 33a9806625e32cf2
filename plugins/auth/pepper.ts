// The pepper: 32 random bytes in a file of their own, so that the key store alone neither proves nor reveals a key.
import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs'
import type { Stores } from 'mcpgw/plugin'

const pepperBytes = 32
const othersMask = process.platform === 'win32' ? 0 : 0o077

/** Reads the pepper, makes it where there is none. Throws, saying how to mend it, where others could read or change it. */
export function openPepper(stores: Stores, path: string): KeyObject {
  return readPepper(path) ?? createPepper(stores, path)
}

/** Throws where a file exists that others may read or change. */
export function requirePrivate(path: string): void {
  const about = statSync(path, { throwIfNoEntry: false })
  if (about !== undefined) checkMode(about.mode, path)
}

function checkMode(mode: number, path: string): void {
  if ((mode & othersMask) === 0) return
  throw new Error(
    `auth: ${path} has mode ${(mode & 0o777).toString(8).padStart(4, '0')}: others may read or change it. Run: chmod 600 ${path}`,
  )
}

function readPepper(path: string): KeyObject | undefined {
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return undefined
    throw new Error(`auth: the pepper ${path} cannot be read (${code}). It must be a file of the gateway's own user, no link.`)
  }
  try {
    // Invariant: what is checked is what is read.
    const about = fstatSync(file)
    checkMode(about.mode, path)
    const buffer = Buffer.alloc(pepperBytes)
    if (!about.isFile() || about.size !== pepperBytes || readSync(file, buffer, 0, pepperBytes, 0) !== pepperBytes) {
      throw new Error(`auth: ${path} is no pepper (${pepperBytes} bytes). Restore it from a backup; without it no stored key works.`)
    }
    return createSecretKey(buffer)
  } finally {
    closeSync(file)
  }
}

function createPepper(stores: Stores, path: string): KeyObject {
  stores.createPrivate(path, randomBytes(pepperBytes))
  const pepper = readPepper(path)
  if (pepper === undefined) throw new Error(`auth: the pepper ${path} vanished while it was made`)
  return pepper
}
