// The key that lies beside the log and not in it: with it the keys of subjects are wrapped, and their pseudonyms made.
import { randomBytes } from 'node:crypto'
import { closeSync, constants, fchmodSync, fstatSync, mkdirSync, openSync, readSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { mayOthersRead, strangerOf } from 'mcpgw/plugin'

/** Makes the file (mode 0600) where there is none. Throws where it holds anything but 64 hex digits. */
export function loadMasterKey(path: string): Uint8Array {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    writeFileSync(path, randomBytes(32).toString('hex'), { flag: 'wx', mode: 0o600, flush: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return readMasterKey(path)
}

/** Throws where it cannot be read, too. */
export function readMasterKey(path: string): Uint8Array {
  let text: string
  try {
    text = readText(path).trim()
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? new Error(`${path}: no such file`) : error
  }
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new Error(`${path}: expected a key of 64 hex digits; restore it, or move it away to begin a new one`)
  return Buffer.from(text, 'hex')
}

/** No link and no pipe is followed: what is made private is the key, and nothing is waited for. */
function readText(path: string): string {
  const file = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  try {
    const about = fstatSync(file)
    if (!about.isFile()) return ''
    const stranger = strangerOf(about)
    if (stranger !== undefined) throw new Error(`${path}: ${stranger}`)
    if (mayOthersRead(about)) fchmodSync(file, 0o600)
    const bytes = Buffer.alloc(LONGEST)
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(file)
  }
}

/** 64 hex digits and some white space. */
const LONGEST = 128
