// Group commit: gathers what is appended in one turn of the event loop and hands it to a committer as one SQL transaction.
import type { Append, Database, GroupWriter } from '../plugin/store.ts'

/** Commits a batch, all or nothing. Returns nothing where it is done already; throws or rejects where the fate is unknown. */
export interface Committer {
  commit(rows: readonly Append[]): Promise<void> | undefined
  /** Resolves when nothing can reach the file any more. */
  close(): Promise<void>
}

interface Waiting {
  readonly rows: readonly Append[]
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** `open` is called again at each recovery. */
export async function createWriter(open: (onLost: (error: Error) => void) => Promise<Committer>): Promise<GroupWriter> {
  let poison: Error | undefined
  let gathered: Waiting[] = []
  const inFlight = new Set<readonly Waiting[]>()
  let idle: (() => void) | undefined
  let generation = 0
  let committer = await openNext()

  async function openNext(): Promise<Committer> {
    generation += 1
    const own = generation
    return await open(error => {
      if (own === generation) fail(error)
    })
  }

  // Invariant: after a failure nothing more is sent, so the order of what is stored is the order of the appends.
  function fail(error: Error): void {
    poison ??= error
    const lost = [...inFlight, gathered]
    inFlight.clear()
    gathered = []
    for (const batch of lost) for (const one of batch) one.reject(error)
    idle?.()
  }

  function flush(): void {
    const batch = gathered
    if (batch.length === 0) return
    gathered = []
    inFlight.add(batch)
    const own = generation
    const done = (): void => {
      if (!inFlight.delete(batch)) return
      for (const one of batch) one.resolve()
      if (inFlight.size === 0) idle?.()
    }
    try {
      const rows = batch.length === 1 ? batch[0]!.rows : batch.flatMap(one => one.rows)
      const committed = committer.commit(rows)
      if (committed === undefined) done()
      else {
        committed.then(done, (error: Error) => {
          if (own === generation) fail(error)
        })
      }
    } catch (error) {
      fail(error as Error)
    }
  }

  return {
    append(rows) {
      if (poison !== undefined) return Promise.reject(poison)
      return new Promise((resolve, reject) => {
        if (gathered.push({ rows, resolve, reject }) === 1) setImmediate(flush)
      })
    },
    async recover() {
      fail(new Error('the writer is being reopened'))
      await committer.close()
      committer = await openNext()
      poison = undefined
    },
    async close() {
      flush()
      if (inFlight.size > 0) {
        await new Promise<void>(resolve => {
          idle = resolve
        })
      }
      poison ??= new Error('the writer is closed')
      await committer.close()
    },
  }
}

/** Commits at once on the calling thread. */
export function inlineCommitter(db: Database, sql: readonly string[]): Committer {
  const statements = sql.map(text => db.prepare(text))
  return {
    commit(rows) {
      db.transaction(() => {
        for (const row of rows) statements[row.sql]!.run(...row.params)
      })
      return undefined
    },
    async close() {
      db.close()
    },
  }
}
