// Group commit on one PostgreSQL session: while one transaction is on its way, the rows for the next one gather.
import type { Append, SqlValue } from '../../plugin/store.ts'
import type { Committer } from '../writer.ts'
import { type Backend, endSession, openSession, type SessionOptions } from './session.ts'

interface Batch {
  readonly rows: readonly Append[]
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** Opens a committer for each recovery, each on a session of its own that comes after the one before. */
export function sessionCommitters(
  options: Omit<SessionOptions, 'former'>,
  statements: readonly string[],
): (onLost: (error: Error) => void) => Promise<Committer> {
  let former: Backend | undefined
  return async onLost => {
    let waiting: Batch[] = []
    let failed: Error | undefined
    let isBusy = false
    const { client, backend } = await openSession({ ...options, former }, error => {
      fail(error)
      onLost(error)
    })
    former = backend

    /** After a failure nothing more is written: later batches build on the lost one. */
    function fail(error: Error): void {
      failed ??= error
      for (const batch of waiting) batch.reject(failed)
      waiting = []
    }

    async function work(): Promise<void> {
      isBusy = true
      while (waiting.length > 0 && failed === undefined) {
        const batches = waiting
        waiting = []
        try {
          await commitRows(batches.length === 1 ? batches[0]!.rows : batches.flatMap(batch => batch.rows))
          for (const batch of batches) batch.resolve()
        } catch (error) {
          fail(error as Error)
          for (const batch of batches) batch.reject(error as Error)
        }
      }
      isBusy = false
    }

    async function commitRows(rows: readonly Append[]): Promise<void> {
      const groups = statements.map((_, sql) => rows.filter(row => row.sql === sql))
      const used = groups.flatMap((group, sql) => (group.length === 0 ? [] : [sql]))
      const run = (sql: number): Promise<unknown> =>
        client.query({ name: `s${sql}`, text: statements[sql]!, values: toColumns(groups[sql]!) })
      // One statement is a transaction by itself.
      if (used.length === 1) return void (await run(used[0]!))
      await client.query('BEGIN')
      for (const sql of used) await run(sql)
      await client.query('COMMIT')
    }

    return {
      commit(rows) {
        if (failed !== undefined) return Promise.reject(failed)
        const done = new Promise<void>((resolve, reject) => waiting.push({ rows, resolve, reject }))
        if (!isBusy) void work()
        return done
      },
      close: () => endSession(client),
    }
  }
}

/** Rows as one array a column, so that any number of them is the same statement. */
function toColumns(rows: readonly Append[]): SqlValue[][] {
  return rows[0]!.params.map((_, column) => rows.map(row => row.params[column]!))
}
