// PostgreSQL behind the port: group commit on one session, what a lost one means, who comes after whom, and the versions of tables.
import { randomBytes } from 'node:crypto'
import type { GroupWriter, Migrations, Postgres } from 'mcpgw/plugin'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import { nameAddress } from '../../../core/store/postgres/address.ts'
import { createDatabase, createRole, run, server, withParts } from '../../postgres/server.ts'

const opened: { close(): Promise<void> }[] = []
afterAll(async () => {
  for (const one of opened.reverse()) await one.close()
})
function open(url: string): Postgres {
  const database = createStores({ dataDir: '/nonexistent', url }).postgres()!
  opened.push(database)
  return database
}

describe.skipIf(server === undefined)('a database', () => {
  let url: string
  let database: Postgres
  let locks = 0
  beforeAll(async () => {
    url = await createDatabase()
    database = open(url)
    await run('CREATE TABLE t (x bigint PRIMARY KEY, note text); CREATE TABLE other (x bigint)', url)
  })

  const statements = [
    'INSERT INTO t (x, note) SELECT * FROM unnest($1::bigint[], $2::text[])',
    'INSERT INTO other SELECT unnest($1::bigint[])',
  ]
  const row = (x: number, note = '') => [{ sql: 0, params: [x, note] }]
  const stored = async (): Promise<unknown[]> => (await database.query('SELECT x FROM t ORDER BY x')).map(one => one.x)
  async function openWriter(lock = `lock ${++locks}`): Promise<GroupWriter> {
    await run('TRUNCATE t, other', url)
    const writer = await database.writer({ durability: 'full', statements, lock })
    opened.push(writer)
    return writer
  }
  const killSessionOf = (lock: string): Promise<unknown> =>
    run(
      `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND (classid::bigint << 32 | objid::bigint) = hashtextextended('${lock}', 0)`,
      url,
    )

  test('gives rows as SQLite does', async () => {
    const sql = `SELECT 7::bigint AS small, 9007199254740993::bigint AS big, '\\x00ff'::bytea AS bytes, true AS yes, null AS nothing, 1.5::numeric AS exact, $1::text[] AS list`
    expect(await database.query(sql, [['a"\\{', 'b']])).toEqual([
      { small: 7, big: 9007199254740993n, bytes: Buffer.from([0, 255]), yes: 1, nothing: null, exact: '1.5', list: '{"a\\"\\\\{",b}' },
    ])
  })

  test('what was appended is stored when append resolves, also in several tables, also text that needs escapes', async () => {
    const writer = await openWriter()
    const odd = 'a"b\\c,{d}\n\u2028é\u{1f600} NULL'
    await Promise.all([writer.append(row(1, odd)), writer.append([...row(2), { sql: 1, params: [20] }]), writer.append(row(3, 'NULL'))])
    expect(await database.query('SELECT * FROM t ORDER BY x')).toEqual([
      { x: 1, note: odd },
      { x: 2, note: '' },
      { x: 3, note: 'NULL' },
    ])
    expect(await database.query('SELECT * FROM other')).toEqual([{ x: 20 }])
  })

  test('what gathers while one transaction is on its way is one transaction', async () => {
    const writer = await openWriter()
    const appended: Promise<void>[] = []
    for (let x = 0; x < 60; x++) {
      appended.push(writer.append(row(x)))
      await new Promise(resolve => setImmediate(resolve))
    }
    await Promise.all(appended)
    const [{ groups }] = (await database.query('SELECT count(DISTINCT xmin::text) AS groups FROM t')) as [{ groups: number }]
    expect(await stored()).toHaveLength(60)
    expect(groups).toBeLessThan(60)
  })

  test('a failure rejects the whole group and everything after it, until recover', async () => {
    const writer = await openWriter()
    await writer.append(row(1))
    const group = await Promise.allSettled([writer.append(row(2)), writer.append(row(1)), writer.append([{ sql: 1, params: [9] }])])
    expect(group.map(one => one.status)).toEqual(['rejected', 'rejected', 'rejected'])
    await expect(writer.append(row(4))).rejects.toThrow(/duplicate key/)
    expect([await stored(), await database.query('SELECT * FROM other')]).toEqual([[1], []])
    await writer.recover()
    await writer.append(row(5))
    expect(await stored()).toEqual([1, 5])
  })

  test('close waits for what was appended and refuses what comes later', async () => {
    const writer = await openWriter()
    const appended = Promise.all(Array.from({ length: 100 }, (_, x) => writer.append(row(x))))
    await writer.close()
    await appended
    await expect(writer.append(row(101))).rejects.toThrow(/closed/)
    expect(await stored()).toHaveLength(100)
  })

  test('a session that ends is told, also where nobody waits, and the next one takes its place and its lock', async () => {
    const writer = await openWriter('the place')
    const told = new Promise<Error>(resolve => writer.onFailure!(resolve))
    expect(await database.isLocked('the place')).toBe(true)
    await killSessionOf('the place')
    expect((await told).message).toMatch(/terminat|ended/)
    await expect(writer.append(row(1))).rejects.toThrow()
    await expect.poll(() => database.isLocked('the place')).toBe(false)
    await writer.recover()
    expect(await database.isLocked('the place')).toBe(true)
    await writer.append(row(2))
    expect(await stored()).toEqual([2])
    await writer.close()
    await expect.poll(() => database.isLocked('the place')).toBe(false)
  })

  test('recovery ends what the session before still does: nothing of it is stored afterwards', async () => {
    const writer = await openWriter()
    await writer.append(row(1))
    // The transaction waits for this lock, as it would for a slow disk.
    const blocker = await database.writer({
      durability: 'full',
      statements: ['LOCK TABLE t IN EXCLUSIVE MODE', 'SELECT pg_sleep(30) FROM unnest($1::bigint[])'],
      lock: 'blocker',
    })
    const blocking = blocker.append([
      { sql: 0, params: [] },
      { sql: 1, params: [1] },
    ])
    blocking.catch(() => {})
    await expect
      .poll(() => run("SELECT 1 FROM pg_locks WHERE relation = 't'::regclass AND mode = 'ExclusiveLock' AND granted", url))
      .toHaveLength(1)
    const lost = writer.append(row(2)).catch((error: Error) => error.message)
    await expect.poll(() => run('SELECT 1 FROM pg_locks WHERE NOT granted', url)).toHaveLength(1)
    await writer.recover()
    await killSessionOf('blocker')
    expect(await lost).toMatch(/reopened/)
    await writer.append(row(3))
    expect(await stored()).toEqual([1, 3])
    await blocker.close()
  })

  test('two writers never have the same place', async () => {
    await openWriter('mine')
    await expect(database.writer({ durability: 'full', statements, lock: 'mine' })).rejects.toThrow(/lock timeout/)
  })

  test('durability full refuses a role whose commits do not wait for the disk; os does not', async () => {
    const role = await createRole(url)
    await run(`ALTER ROLE ${role} SET synchronous_commit = off`)
    const asRole = open(withParts(url, { user: role }))
    await expect(asRole.writer({ durability: 'full', statements, lock: 'x' })).rejects.toMatchObject({
      code: 'store-unfit',
      message: expect.stringContaining('synchronous_commit is off') as string,
    })
    await (await asRole.writer({ durability: 'os', statements, lock: 'x' })).close()
  })

  test('a database that does not keep every text is refused', async () => {
    const latin = await createDatabase("TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    await expect(open(latin).writer({ durability: 'full', statements, lock: 'x' })).rejects.toMatchObject({
      code: 'store-unfit',
      message: expect.stringContaining('has to be UTF8') as string,
    })
  })

  test('no message has the password', async () => {
    const password = randomBytes(12).toString('hex')
    const wrong = withParts(url, { user: 'nobody_of_this_name', password })
    for (const address of [wrong, wrong.replace(/:\d+\//, ':1/')]) {
      const one = open(`${address}?application_name=x`)
      expect(one.name).toMatch(/^postgres:\/\/nobody_of_this_name@127\.0\.0\.1:\d+\/mcpgw_test_\w+$/)
      const failures = await Promise.allSettled([one.query('SELECT 1'), one.writer({ durability: 'full', statements, lock: 'x' })])
      for (const failure of failures) {
        expect(failure.status).toBe('rejected')
        expect(JSON.stringify([String((failure as PromiseRejectedResult).reason), failure])).not.toContain(password)
      }
    }
  })

  describe('the versions of its tables', () => {
    const steps = (schema: string): string[] => [
      `CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.schema_version (version integer); INSERT INTO ${schema}.schema_version VALUES (1);
       CREATE TABLE ${schema}.a (x int); INSERT INTO ${schema}.a VALUES (1);`,
      `ALTER TABLE ${schema}.a ADD COLUMN y int; INSERT INTO ${schema}.schema_version VALUES (2);`,
      `INSERT INTO ${schema}.schema_version VALUES (3);`,
    ]
    const upTo = (schema: string, version: number): Migrations => ({ schema, steps: steps(schema).slice(0, version) })

    test('an empty database gets all, an older one the rest, and a check changes nothing', async () => {
      await expect(database.migrate(upTo('m1', 1), 'check')).rejects.toMatchObject({ code: 'store-missing' })
      expect(await database.migrate(upTo('m1', 1), 'plan')).toEqual({ from: 0, to: 1 })
      await expect(database.migrate(upTo('m1', 1), 'check')).rejects.toMatchObject({ code: 'store-missing' })
      expect(await database.migrate(upTo('m1', 1), 'apply')).toEqual({ from: 0, to: 1 })
      await expect(database.migrate(upTo('m1', 3), 'check')).rejects.toMatchObject({ code: 'store-older' })
      expect(await database.migrate(upTo('m1', 3), 'plan')).toEqual({ from: 1, to: 3 })
      expect(await database.migrate(upTo('m1', 3), 'apply')).toEqual({ from: 1, to: 3 })
      expect(await database.migrate(upTo('m1', 3), 'check')).toEqual({ from: 3, to: 3 })
      expect(await database.query('SELECT * FROM m1.a')).toEqual([{ x: 1, y: null }])
    })

    test('a newer one is refused, by its name and both versions', async () => {
      await database.migrate(upTo('m2', 3), 'apply')
      for (const how of ['apply', 'check', 'plan'] as const)
        await expect(database.migrate(upTo('m2', 2), how)).rejects.toMatchObject({
          code: 'store-newer',
          message: `${database.name}, schema m2: written by a newer version (tables 3, this one knows 2); upgrade mcpgw`,
        })
    })

    test('many at once make them once', async () => {
      const many = Array.from({ length: 4 }, () => open(url))
      const done = await Promise.all(many.map(one => one.migrate(upTo('m3', 3), 'apply')))
      expect(done.map(one => one.to)).toEqual([3, 3, 3, 3])
      expect(await database.query('SELECT x FROM m3.a')).toEqual([{ x: 1 }])
    })

    test('a step that fails leaves nothing behind', async () => {
      for (const last of ['SELECT nothing_like_it();', 'SELECT 1;'])
        await expect(database.migrate({ schema: 'm4', steps: [...steps('m4').slice(0, 1), last] }, 'apply')).rejects.toThrow(
          /nothing_like_it|version 1, not 2/,
        )
      await expect(database.migrate(upTo('m4', 1), 'check')).rejects.toMatchObject({ code: 'store-missing' })
    })

    test('a role that may not make them is told who does', async () => {
      const role = await createRole(url)
      const asRole = open(withParts(url, { user: role }))
      await expect(asRole.migrate(upTo('m5', 1), 'apply')).rejects.toMatchObject({
        code: 'store-missing',
        message: expect.stringContaining('mcpgw migrate') as string,
      })
    })
  })
})

test.each([
  ['postgres://u:secret@db.example:5433/audit?sslmode=verify-full', 'postgres://u@db.example:5433/audit'],
  ['postgresql:///audit?host=/run/postgresql&user=u&password=secret', 'postgres://u@/run/postgresql/audit'],
  ['postgres://db/audit', 'postgres://db/audit'],
])('%s is shown as %s', (url, name) => {
  expect(nameAddress(url)).toBe(name)
})
