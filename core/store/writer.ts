// Group commit: gathers what is appended in one turn of the event loop and hands it to a committer as one SQL transaction.
import type { Append, Database, GroupWriter } from '../plugin/store.ts'

/** Commits a batch, all or nothing. Returns nothing where it is done already; throws or rejects where the fate is unknown. */
export interface Committer {
  commit(rows: readonly Append[]): Promise<void> | undefined
  /** Resolves when nothing can reach the file any more. */
  close(): Promise<void>
}

/** What is committed as one: everybody who appended to it waits for the same promise. */
interface Group {
  readonly rows: Append[]
  readonly durable: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** `open` is called again at each recovery. */
export async function createWriter(open: (onLost: (error: Error) => void) => Promise<Committer>): Promise<GroupWriter> {
  let poison: Error | undefined
  let gathered: Group | undefined
  let inFlight: Group[] = []
  let idle: (() => void) | undefined
  let generation = 0
  let tell: ((error: Error) => void) | undefined
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
    const isFirst = poison === undefined
    poison ??= error
    const lost = gathered === undefined ? inFlight : [...inFlight, gathered]
    inFlight = []
    gathered = undefined
    for (const group of lost) group.reject(error)
    idle?.()
    if (isFirst && lost.length === 0) tell?.(error)
  }

  function flush(): void {
    const group = gathered
    if (group === undefined) return
    gathered = undefined
    inFlight.push(group)
    const own = generation
    const done = (): void => {
      const at = inFlight.indexOf(group)
      if (at < 0) return
      inFlight.splice(at, 1)
      group.resolve()
      if (inFlight.length === 0) idle?.()
    }
    try {
      const committed = committer.commit(group.rows)
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
      if (gathered === undefined) {
        gathered = openGroup()
        setImmediate(flush)
      }
      for (const row of rows) gathered.rows.push(row)
      return gathered.durable
    },
    async recover() {
      poison ??= new Error('the writer is being reopened')
      fail(poison)
      await committer.close()
      committer = await openNext()
      poison = undefined
    },
    async close() {
      flush()
      if (inFlight.length > 0) {
        await new Promise<void>(resolve => {
          idle = resolve
        })
      }
      poison ??= new Error('the writer is closed')
      await committer.close()
    },
    onFailure(listener) {
      tell = listener
    },
  }
}

function openGroup(): Group {
  let resolve!: () => void
  let reject!: (error: Error) => void
  const durable = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { rows: [], durable, resolve, reject }
}

/** Commits at once on the calling thread. */
export function inlineCommitter(db: Database, sql: readonly string[]): Committer {
  const statements = sql.map(text => db.prepare(text))
  return {
    commit(rows) {
      const [first] = rows
      // One statement is a transaction by itself.
      if (rows.length === 1) statements[first!.sql]!.run(...first!.params)
      else {
        db.transaction(() => {
          for (const row of rows) statements[row.sql]!.run(...row.params)
        })
      }
      return undefined
    },
    async close() {
      db.close()
    },
  }
}
