// A few threads for what would hold up the event loop: started when needed, ended when late, and never waited for beyond the deadline.
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Clock } from 'mcpgw/plugin'
import type { Reply, ThreadSettings, Work } from './work.ts'

export interface Pool {
  /** Undefined: it was not done by `until` (ms of the monotonic clock), or too much waits already. Rejects where a thread broke. */
  run(work: Work, until: number): Promise<Reply | undefined>
  close(): Promise<void>
}

export interface PoolOptions {
  /** Asked when a thread starts. */
  readonly settings: () => ThreadSettings
  readonly clock: Clock
}

interface Task {
  readonly work: Work
  readonly resolve: (reply: Reply | undefined) => void
  readonly reject: (error: Error) => void
  cancel: () => void
}

interface Thread {
  readonly worker: Worker
  task: Task | undefined
}

const mostThreads = 2
const mostWaiting = 64
const memory = { maxOldGenerationSizeMb: 1024 }
// This file is TypeScript where the sources are run as they are.
const entry = new URL(`./thread${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url)

export function createPool({ settings, clock }: PoolOptions): Pool {
  const size = Math.max(1, Math.min(mostThreads, availableParallelism() - 1))
  const threads = new Set<Thread>()
  const waiting: Task[] = []

  function start(): Thread {
    const worker = new Worker(entry, { workerData: settings(), name: 'mcpgw-redact', resourceLimits: memory })
    const thread: Thread = { worker, task: undefined }
    const lose = (error: Error): void => {
      threads.delete(thread)
      const { task } = thread
      thread.task = undefined
      task?.cancel()
      task?.reject(error)
      next()
    }
    worker.on('message', (reply: Reply) => {
      const { task } = thread
      thread.task = undefined
      task?.cancel()
      task?.resolve(reply)
      next()
    })
    worker.on('error', lose)
    worker.on('exit', code => lose(new Error(`a scanning thread ended (${code})`)))
    worker.unref()
    threads.add(thread)
    return thread
  }

  function next(): void {
    if (waiting.length === 0) {
      for (const { worker, task } of threads) if (task === undefined) worker.unref()
      return
    }
    const idle = [...threads].find(({ task }) => task === undefined) ?? (threads.size < size ? start() : undefined)
    if (idle === undefined) return
    idle.task = waiting.shift()!
    // An idle thread does not keep the process alive; one with work does.
    idle.worker.ref()
    idle.worker.postMessage(idle.task.work)
  }

  function expire(task: Task): void {
    const place = waiting.indexOf(task)
    if (place >= 0) waiting.splice(place, 1)
    for (const thread of threads) {
      if (thread.task !== task) continue
      // Nothing else stops a scan.
      thread.task = undefined
      threads.delete(thread)
      void thread.worker.terminate()
    }
    task.resolve(undefined)
    next()
  }

  return {
    run(work, until) {
      if (waiting.length >= mostWaiting) return Promise.resolve(undefined)
      return new Promise((resolve, reject) => {
        const task: Task = { work, resolve, reject, cancel: () => {} }
        task.cancel = clock.after(Math.max(0, until - clock.mono()), () => expire(task))
        waiting.push(task)
        next()
      })
    },
    async close() {
      for (const task of waiting.splice(0)) task.resolve(undefined)
      await Promise.all([...threads].map(({ worker }) => worker.terminate()))
    },
  }
}
