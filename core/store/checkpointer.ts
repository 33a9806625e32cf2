// Copies the WAL into the database file from a thread, so that the fsyncs of a checkpoint do not stop the event loop of an inline writer.
import { type MessagePort, Worker } from 'node:worker_threads'
import type { Append } from '../plugin/store.ts'
import type { Driver, NativeDatabase } from './driver.ts'
import type { Committer } from './writer.ts'

interface Work {
  readonly driver: Driver['name']
  readonly module: string
  readonly path: string
}

const EVERY_BYTES = 4 * 1024 * 1024
/**
 * The writer's own checkpoint, in pages of 4 KiB, is left for a WAL that never rests: only when all of it is copied does SQLite begin it anew.
 * It then finds most of the work done.
 */
export const BACKSTOP = 'PRAGMA wal_autocheckpoint = 8000'

/** Runs in the thread, from its own source text: it may refer to nothing outside of itself. `load` is require. */
export function serveCheckpoints(port: MessagePort, load: (module: string) => unknown, work: Work): void {
  const loaded = load(work.module) as { DatabaseSync: new (path: string) => NativeDatabase }
  const Native = work.driver === 'node:sqlite' ? loaded.DatabaseSync : (loaded as unknown as new (path: string) => NativeDatabase)
  const db = new Native(work.path)
  db.exec('PRAGMA synchronous = NORMAL')
  port.on('message', (kind: 'checkpoint' | 'close') => {
    if (kind === 'close') {
      db.close()
      port.close()
      return
    }
    try {
      db.exec('PRAGMA wal_checkpoint(PASSIVE)')
    } catch {
      // Another connection is at it; the next round copies what it left.
    }
    port.postMessage('done')
  })
}

const source = `const { parentPort, workerData } = require('node:worker_threads')
;(${serveCheckpoints.toString()})(parentPort, require, workerData)`

/** Adds checkpoints to a committer; the thread starts when there is enough to copy. Without it the writer's own checkpoints remain. */
export function withCheckpoints(committer: Committer, driver: Driver, path: string): Committer {
  let written = 0
  let busy = false
  let worker: Worker | undefined
  let ended: Promise<void> | undefined

  function start(): Worker {
    const started = new Worker(source, {
      eval: true,
      workerData: { driver: driver.name, module: driver.module, path } satisfies Work,
      execArgv: [],
    })
    // A thread that has failed stays busy for good and is asked no more.
    started.on('error', () => {})
    started.on('message', () => {
      busy = false
    })
    ended = new Promise(resolve => started.once('exit', () => resolve()))
    started.unref()
    return started
  }

  return {
    commit(rows) {
      const done = committer.commit(rows)
      written += sizeOf(rows)
      if (written > EVERY_BYTES && !busy) {
        written = 0
        busy = true
        worker ??= start()
        worker.postMessage('checkpoint')
      }
      return done
    },
    async close() {
      worker?.ref()
      worker?.postMessage('close')
      await ended
      await committer.close()
    },
  }
}

function sizeOf(rows: readonly Append[]): number {
  let bytes = 0
  for (const { params } of rows)
    for (const value of params) bytes += typeof value === 'string' || value instanceof Uint8Array ? value.length : 8
  return bytes
}
