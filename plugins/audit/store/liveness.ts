// Tells whether the boot that owns a stream still runs: it holds a lock, which the operating system drops with the process.
import { hash } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import type { Database, Stores } from 'mcpgw/plugin'

// Named by a hash: stream names are read from a file that others may have changed.
const lockPath = (stores: Stores, logPath: string, stream: string): string =>
  `${stores.resolve(logPath)}-live-${hash('sha256', stream, 'hex').slice(0, 16)}`

/** Holds the lock of `stream` until the function returned is called. */
export function holdLive(stores: Stores, logPath: string, stream: string): () => void {
  const path = lockPath(stores, logPath, stream)
  const db = lock(stores, path)
  return () => {
    db.close()
    remove(path)
  }
}

/** False where its process has ended; then its lock file is removed. */
export function isLive(stores: Stores, logPath: string, stream: string): boolean {
  const path = lockPath(stores, logPath, stream)
  if (!existsSync(path)) return false
  try {
    lock(stores, path).close()
    remove(path)
    return false
  } catch {
    return true
  }
}

function lock(stores: Stores, path: string): Database {
  const db = stores.open(path, { durability: 'os' })
  try {
    db.exec('PRAGMA busy_timeout = 0; BEGIN IMMEDIATE')
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function remove(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
}
