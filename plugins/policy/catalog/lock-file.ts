// The lock on disk: where it is, and that a write either happens whole or not at all.
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { FileOwnership } from 'mcpgw/plugin'
import { type Lock, positionOf, readLock } from 'mcpgw/policy'
import type { PolicyConfig } from '../config.ts'

const usual = 'mcpgw.lock.json'

/** `--lock FILE` starts from the working directory, `lock` of the config from the folder of the config. */
export function lockPath(given: string | undefined, { dir, lock }: Pick<PolicyConfig, 'dir' | 'lock'>, cwd: string): string {
  return given === undefined ? resolve(cwd, dir, lock ?? usual) : resolve(cwd, given)
}

/** The lock at `path`, undefined where there is none; a text says what is wrong with it. */
export async function loadLock(path: string): Promise<Lock | string | undefined> {
  const found = await readLockFile(path)
  if (found === undefined) return undefined
  const { text } = found
  const { lock, diagnostics } = readLock(text, path)
  const [first] = diagnostics
  if (lock !== undefined || first === undefined) return lock
  const { line, column } = positionOf(text, first.span.start)
  return `${path}:${line}:${column}: ${first.message}`
}

/** Undefined where there is none; throws where it cannot be read. `about`: of the very file that was read. */
export async function readLockFile(path: string): Promise<{ readonly text: string; readonly about: FileOwnership } | undefined> {
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  try {
    const about = await handle?.stat()
    if (handle === undefined || about === undefined) return undefined
    if (!about.isFile()) throw new Error(`${path}: not a regular file`)
    return { about, text: await handle.readFile('utf8') }
  } finally {
    await handle?.close()
  }
}

export async function writeLockFile(path: string, text: string): Promise<void> {
  const part = `${path}.${randomBytes(6).toString('hex')}.part`
  try {
    const file = await open(part, 'wx')
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}
