// A file that only this user may read, for keys: there whole or not at all, and never written twice.
import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, statSync, unlinkSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { type FileOwnership, strangerOf } from '../plugin/file-mode.ts'
import { StoreFault } from './fault.ts'

/** A link appears whole or not at all, and only where there is none: two processes at once end with the same file. */
export function createPrivateFile(path: string, content: string | Uint8Array): void {
  makeFolder(dirname(path))
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  const file = openSync(draft, 'wx', 0o600)
  try {
    writeSync(file, typeof content === 'string' ? Buffer.from(content) : content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  try {
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    unlinkSync(draft)
  }
}

/** For this user alone where it is made. Throws a StoreFault where it is a stranger's, who could put other files in place of those that are checked. */
export function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  refuseStrange(path, statSync(path))
}

export function refuseStrange(path: string, about: Pick<FileOwnership, 'uid'>): void {
  const stranger = strangerOf(about)
  if (stranger !== undefined) throw new StoreFault('store-unreadable', `${path}: ${stranger}`)
}
