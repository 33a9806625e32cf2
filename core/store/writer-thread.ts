// The thread behind durability `full`: it commits with fsync whatever has gathered while the last fsync ran.
import { type MessagePort, Worker } from 'node:worker_threads'
import type { Append } from '../plugin/store.ts'
import { pragmas } from './database.ts'
import type { Driver, NativeDatabase } from './driver.ts'
import type { Committer } from './writer.ts'

/** What the thread is told at its start. */
export interface ThreadWork {
  readonly driver: Driver['name']
  readonly module: string
  readonly path: string
  readonly pragmas: string
  readonly statements: readonly string[]
}
export type ThreadRequest =
  | { readonly kind: 'commit'; readonly batch: number; readonly rows: readonly Append[] }
  | { readonly kind: 'close' }
export type ThreadReport =
  | { readonly kind: 'ready'; readonly synchronous: number }
  | { readonly kind: 'done'; readonly batch: number }
  | { readonly kind: 'failed'; readonly message: string }

/**
 * Runs in the thread, from its own source text (a thread cannot import TypeScript): it may refer to nothing outside of itself.
 * `take` is receiveMessageOnPort, `load` is require.
 */
export function serveCommits(
  port: MessagePort,
  take: (port: MessagePort) => { message: ThreadRequest } | undefined,
  load: (module: string) => unknown,
  work: ThreadWork,
): void {
  const loaded = load(work.module) as { DatabaseSync: new (path: string) => NativeDatabase }
  const Native = work.driver === 'node:sqlite' ? loaded.DatabaseSync : (loaded as unknown as new (path: string) => NativeDatabase)
  const db = new Native(work.path)
  db.exec(work.pragmas)
  const statements = work.statements.map(sql => db.prepare(sql))
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')
  const report = (about: ThreadReport): void => port.postMessage(about)
  let failed = false

  const commitAll = (requests: ThreadRequest[]): void => {
    let batch = 0
    try {
      begin.run()
      for (const request of requests) {
        if (request.kind !== 'commit') continue
        batch = request.batch
        for (const row of request.rows) statements[row.sql]!.run(...row.params)
      }
      commit.run()
      report({ kind: 'done', batch })
    } catch (error) {
      // After a failure nothing more is written: later batches build on the lost one.
      failed = true
      try {
        db.exec('ROLLBACK')
      } catch {
        // SQLite has rolled back by itself.
      }
      report({ kind: 'failed', message: String((error as Error).message) })
    }
  }

  port.on('message', (first: ThreadRequest) => {
    const requests = [first]
    for (let next = take(port); next !== undefined; next = take(port)) requests.push(next.message)
    if (!failed && requests.some(request => request.kind === 'commit')) commitAll(requests)
    if (requests.some(request => request.kind === 'close')) {
      db.close()
      port.close()
    }
  })
  report({ kind: 'ready', synchronous: Number(db.prepare('PRAGMA synchronous').get()?.synchronous) })
}

const source = `const { parentPort, receiveMessageOnPort, workerData } = require('node:worker_threads')
;(${serveCommits.toString()})(parentPort, receiveMessageOnPort, require, workerData)`

/** Resolves when the thread has the file open with fsync at each commit. The file and its tables exist already. */
export async function threadCommitter(
  driver: Driver,
  path: string,
  statements: readonly string[],
  onLost: (error: Error) => void,
): Promise<Committer> {
  const work: ThreadWork = { driver: driver.name, module: driver.module, path, pragmas: pragmas('full'), statements }
  const worker = new Worker(source, { eval: true, workerData: work, name: 'mcpgw-store', execArgv: [] })
  const pending: { batch: number; resolve: () => void }[] = []
  let batches = 0
  let closing = false

  await new Promise<void>((resolve, reject) => {
    const lost = (error: Error): void => {
      reject(error)
      if (!closing) onLost(error)
    }
    worker.on('error', lost)
    worker.on('exit', code => lost(new Error(`the store thread ended (${code})`)))
    worker.on('message', (report: ThreadReport) => {
      if (report.kind === 'failed') return lost(new Error(report.message))
      if (report.kind === 'done') return acknowledge(report.batch)
      if (report.synchronous === 2) resolve()
      else reject(new Error(`synchronous is ${report.synchronous}, not FULL`))
    })
  })
  worker.unref()

  function acknowledge(upTo: number): void {
    while (pending.length > 0 && pending[0]!.batch <= upTo) pending.shift()!.resolve()
    // An idle thread does not keep the process alive; one with work does.
    if (pending.length === 0) worker.unref()
  }

  return {
    commit(rows) {
      batches += 1
      const batch = batches
      if (pending.length === 0) worker.ref()
      worker.postMessage({ kind: 'commit', batch, rows } satisfies ThreadRequest)
      return new Promise(resolve => pending.push({ batch, resolve }))
    },
    async close() {
      closing = true
      worker.ref()
      const ended = new Promise<void>(resolve => worker.once('exit', () => resolve()))
      // A thread that has ended already answers neither.
      if (worker.threadId === -1) return
      worker.postMessage({ kind: 'close' } satisfies ThreadRequest)
      await ended
    },
  }
}
