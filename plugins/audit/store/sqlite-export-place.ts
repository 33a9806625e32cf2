// How far a continuous export has come, in a file beside the log that is whole at any time.
import { readFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import type { Stores } from 'mcpgw/plugin'
import { holdLive, isLive } from './liveness.ts'
import type { ExportPlace } from './log-store.ts'

/** `logPath`: relative to the data directory. Undefined where another process has it open. */
export function openSqliteExportPlace(stores: Stores, logPath: string, name: string): ExportPlace | undefined {
  const lock = `export ${name}`
  if (isLive(stores, logPath, lock)) return undefined
  const release = holdLive(stores, logPath, lock)
  try {
    const state = readSqliteExportState(stores, logPath, name)
    const path = pathOf(stores, logPath, name)
    return { state, keep: next => replace(path, next), close: async () => release() }
  } catch (error) {
    release()
    throw error
  }
}

export function readSqliteExportState(stores: Stores, logPath: string, name: string): string | undefined {
  try {
    return readFileSync(pathOf(stores, logPath, name), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const pathOf = (stores: Stores, logPath: string, name: string): string => `${stores.resolve(logPath)}.export-${name}`

// Not on the loop: calls do not wait for the disk that this waits for.
async function replace(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
}
