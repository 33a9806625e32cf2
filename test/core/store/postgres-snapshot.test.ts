// A connection that is given out for several queries and ends between two of them: the next query fails, and nothing else does.
import type { Postgres } from 'mcpgw/plugin'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import { createDatabase, run, server } from '../../postgres/server.ts'

describe.skipIf(server === undefined)('a snapshot whose session the server ends while it is idle', () => {
  let database: Postgres
  let url: string
  beforeAll(async () => {
    url = await createDatabase()
    database = createStores({ dataDir: '/nonexistent', url }).postgres()!
  })
  afterAll(() => database?.close())

  test('fails with its next query and can be closed; the process goes on, and so does the database', async () => {
    const snapshot = await database.snapshot()
    const [row] = await snapshot.query('SELECT pg_backend_pid() AS pid')
    await run('SELECT pg_terminate_backend($1)', url, [row!.pid])
    const isThere = async (): Promise<boolean> => (await run('SELECT 1 FROM pg_stat_activity WHERE pid = $1', url, [row!.pid])).length > 0
    while (await isThere());
    // An error without a listener is one of the process, and a failure of this file.
    await expect(snapshot.query('SELECT 1')).rejects.toThrow()
    await snapshot.close()
    expect(await database.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  })
})
