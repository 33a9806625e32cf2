// The lock on disk: where it is, and that a write either happens whole or not at all.
import { randomBytes } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Lock, positionOf, readLock } from 'mcpgw/policy'
import type { PolicyConfig } from '../config.ts'

const usual = 'mcpgw.lock.json'

/** `--lock FILE` starts from the working directory, `lock` of the config from the folder of the config. */
export function lockPath(given: string | undefined, { dir, lock }: Pick<PolicyConfig, 'dir' | 'lock'>, cwd: string): string {
  return given === undefined ? resolve(cwd, dir, lock ?? usual) : resolve(cwd, given)
}

/** The lock at `path`, undefined where there is none; a text says what is wrong with it. */
export async function loadLock(path: string): Promise<Lock | string | undefined> {
  const text = await readLockFile(path)
  if (text === undefined) return undefined
  const { lock, diagnostics } = readLock(text, path)
  const [first] = diagnostics
  if (lock !== undefined || first === undefined) return lock
  const { line, column } = positionOf(text, first.span.start)
  return `${path}:${line}:${column}: ${first.message}`
}

/** Undefined where there is none; throws where it cannot be read. */
export async function readLockFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
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
