// The log in PostgreSQL, as an attacker and as a broken store meet it: what the tables refuse, what verify finds in spite of them, and that it heals.
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { lockOf } from '../../../plugins/audit/store/postgres-tables.ts'
import { createDatabase, run, server, withParts } from '../../postgres/server.ts'
import { faulty } from './faulty-stores.ts'
import {
  call,
  createExchange,
  type Gateway,
  type GatewayOptions,
  payload,
  type Ran,
  realClock,
  runCommand,
  startGateway,
  tempDir,
} from './gateway.ts'

const COLUMNS = ['stream', 'seq', 'at', 'type', 'call', 'prev', 'hash', 'body'] as const

describe.skipIf(server === undefined)('a log in PostgreSQL', () => {
  let url: string
  let dir: string
  beforeAll(async () => {
    url = await createDatabase()
  })
  beforeEach(async () => {
    await run('DROP SCHEMA IF EXISTS mcpgw_audit CASCADE', url)
    dir = tempDir()
  })
  const start = (options: GatewayOptions = {}): Promise<Gateway> => startGateway({ dir, url, config: { durability: 'full' }, ...options })
  const verify = (options: Record<string, boolean> = {}): Promise<Ran> => runCommand(dir, 'audit verify', options, { url })
  /** What only the owner can do who switches the triggers off. */
  const tamper = (sql: string, params?: unknown[]): Promise<unknown> =>
    run(sql, `${url}?options=${encodeURIComponent('-c session_replication_role=replica')}`, params)
  const rows = (): Promise<Record<string, unknown>[]> =>
    run('SELECT * FROM mcpgw_audit.record JOIN mcpgw_audit.stream ON name = stream ORDER BY opened, seq', url)

  async function writeLog(): Promise<void> {
    for (const _boot of [1, 2]) {
      const gateway = await start()
      await Promise.all([0, 1, 2].map(i => call(gateway, createExchange({ args: payload({ i }) }))))
      await gateway.stop()
    }
  }

  test('records calls as the file does, and verify finds it consistent and names the database without a password', async () => {
    await writeLog()
    const stored = await rows()
    expect(stored.map(row => row.type).slice(0, 2)).toEqual(['stream.start', 'gateway.start'])
    expect(await verify()).toMatchObject({
      code: 4,
      out: `CONSISTENT, completeness not proven: ${stored.length} records in 2 streams, 4 checkpoints of its own\n`,
    })
    const { file } = JSON.parse(
      (await runCommand(dir, 'audit verify', { json: true }, { url: withParts(url, { password: 'hunter2' }) })).out,
    ) as {
      file: string
    }
    expect(file).toBe(url)
    const shown = await runCommand(dir, 'audit log', {}, { url })
    expect(shown.out).toMatch(/answered +agent-1 +files +read/)
    expect((await runCommand(dir, 'audit stats', {}, { url })).out).toMatch(/answered +6/)
  })

  /** The same value but for one byte (or by 100, for a number: the next one is taken). */
  function change(value: unknown, at: number): unknown {
    if (typeof value === 'string' && /^\d+$/.test(value)) return String(Number(value) + 100)
    if (value === '') return 'x'
    const bytes = Buffer.from(value as string | Buffer)
    bytes[at % bytes.length]! ^= 1
    return typeof value === 'string' ? bytes.toString('latin1') : bytes
  }

  test.each(COLUMNS)('one byte changed in column %s is found in every record, and the record is named', async column => {
    await writeLog()
    for (const [n, before] of (await rows()).entries()) {
      const after = change(before[column], n * 7)
      const set = `UPDATE mcpgw_audit.record SET ${column} = $1 WHERE stream = $2 AND seq = $3`
      await tamper(set, [after, before.stream, before.seq])
      const ran = await verify()
      const now = { ...before, [column]: after } as typeof before
      expect([n, ran.code, ran.out]).toEqual([n, 1, expect.stringContaining('BROKEN at record ') as string])
      if (column !== 'stream' && column !== 'seq')
        expect(ran.out).toContain(`BROKEN at record ${n + 1} (${String(before.stream)}:${String(before.seq)})`)
      await tamper(set, [before[column], now.stream, now.seq])
    }
    expect((await verify()).code).toBe(4)
  })

  test.each([
    ['a record is deleted', 'DELETE FROM mcpgw_audit.record WHERE seq = 4'],
    ['the beginning of a stream is cut off', 'DELETE FROM mcpgw_audit.record WHERE seq <= 4'],
    [
      'a whole boot is cut out',
      'DELETE FROM mcpgw_audit.record WHERE stream = (SELECT name FROM mcpgw_audit.stream ORDER BY opened LIMIT 1)',
    ],
    [
      'two records change their contents',
      `UPDATE mcpgw_audit.record SET body = (SELECT body FROM mcpgw_audit.record AS o WHERE o.stream = record.stream AND o.seq = 9 - record.seq) WHERE seq IN (4, 5)`,
    ],
  ])('%s: found', async (_what, sql) => {
    await writeLog()
    await tamper(sql)
    expect((await verify()).code).toBe(1)
  })

  test('nobody changes, removes or empties, not even the owner without switching the triggers off', async () => {
    const gateway = await start()
    await call(gateway, createExchange())
    await gateway.stop()
    for (const table of ['record', 'stream', 'stream_end', 'checkpoint', 'tombstone', 'schema_version']) {
      const column = (
        await run(`SELECT attname FROM pg_attribute WHERE attrelid = 'mcpgw_audit.${table}'::regclass AND attnum = 1`, url)
      )[0]!
      for (const sql of [
        `UPDATE mcpgw_audit.${table} SET ${String(column.attname)} = NULL`,
        `DELETE FROM mcpgw_audit.${table}`,
        `TRUNCATE mcpgw_audit.${table} CASCADE`,
      ]) {
        // A DELETE of records is refused row by row.
        const isEmpty = (await run(`SELECT FROM mcpgw_audit.${table}`, url)).length === 0
        if (isEmpty && table === 'record') continue
        await expect(run(sql, url), sql).rejects.toThrow(/only added to|no tombstone covers it/)
      }
    }
  })

  test('a fork, a gap and a record that continues something else are errors, whoever inserts them', async () => {
    const gateway = await start()
    await call(gateway, createExchange())
    await gateway.stop()
    const again = (seq: string, prev: string): Promise<unknown> =>
      run(
        `INSERT INTO mcpgw_audit.record SELECT stream, ${seq}, at, type, call, ${prev}, hash, body FROM mcpgw_audit.record ORDER BY seq DESC LIMIT 1`,
        url,
      )
    await expect(again('seq', 'prev')).rejects.toThrow(/record_pkey/)
    await expect(again('1', 'prev')).rejects.toThrow(/record_fork|record_pkey/)
    await expect(again('seq + 2', 'hash')).rejects.toThrow(/does not continue/)
    await expect(again('seq + 1', "'\\x00'")).rejects.toThrow(/does not continue/)
  })

  test('what a tombstone covers may be deleted, and nothing else; the stream then goes on behind it', async () => {
    const gateway = await start()
    await call(gateway, createExchange())
    await run(
      `INSERT INTO mcpgw_audit.tombstone SELECT stream, seq, 0, encode(hash, 'hex'), '', '' FROM mcpgw_audit.record ORDER BY seq DESC LIMIT 1`,
      url,
    )
    const covered = (await rows()).length
    await run('DELETE FROM mcpgw_audit.record', url)
    await call(gateway, createExchange())
    expect((await rows()).map(row => Number(row.seq))).toEqual([covered + 1, covered + 2])
    await expect(run('DELETE FROM mcpgw_audit.record', url)).rejects.toThrow(/record \d of stream .* no tombstone covers it/)
  })

  describe.each(['before the write', 'after the write'] as const)('an operation that fails %s', when => {
    test.each([3, 4, 5, 6])('the %d. operation: each effect has one intent and one outcome, and the log heals', async nth => {
      let count = 0
      const next = (): string | { after: string } | undefined => {
        count += 1
        if (count !== nth && count !== nth + 1) return undefined
        return when === 'before the write' ? 'no answer' : { after: 'fate unknown' }
      }
      const clock = { ...realClock, after: (ms: number, work: () => void) => realClock.after(ms === 2000 ? ms : 1, work) }
      const gateway = await start({ stores: faulty(dir, { next }, url), clock })
      const effects: string[] = []
      const answered: string[] = []
      for (let i = 0; i < 5; i++) {
        const x = createExchange()
        if ((await call(gateway, x, undefined, () => effects.push(x.id))) === 'ok') answered.push(x.id)
        if (gateway.health?.status === 'failing') await gateway.healthIs(undefined)
      }
      expect(answered.length).toBeGreaterThanOrEqual(3)
      await gateway.stop()
      const stored = await rows()
      for (const id of effects) {
        const types = stored.filter(row => row.call === id).map(row => row.type)
        expect(types).toEqual(answered.includes(id) ? ['intent', 'outcome'] : ['intent', 'outcome', 'outcome.withheld'])
      }
      expect(stored.map(row => Number(row.seq))).toEqual(stored.map((_, i) => i + 1))
      expect(await verify()).toMatchObject({ code: 4 })
    })
  })

  test('a server that does not answer is no verdict', async () => {
    await writeLog()
    const away = await runCommand(dir, 'audit verify', {}, { url: url.replace(/:\d+\//, ':1/') })
    expect(away).toMatchObject({ code: 3, out: '', err: expect.stringContaining('ECONNREFUSED') as string })
  })

  test('a running gateway keeps its open calls when another one starts; a killed one does not', async () => {
    // It does not come back by itself: that would be another test.
    const first = await start({ clock: { ...realClock, after: () => () => {} } })
    const x = createExchange()
    await first.hooks.onSealed!(x)
    await (await start()).stop()
    expect((await rows()).filter(row => row.call === x.id).map(row => row.type)).toEqual(['intent'])
    // What the server does when the process has gone.
    const lock = lockOf(String((await rows())[0]!.stream))
    await run(
      `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND (classid::bigint << 32 | objid::bigint) = hashtextextended('${lock}', 0)`,
      url,
    )
    await expect.poll(() => first.health?.status).toBe('failing')
    await (await start()).stop()
    expect((await rows()).filter(row => row.call === x.id).map(row => row.type)).toEqual(['intent', 'outcome'])
    expect(await verify()).toMatchObject({ code: 4 })
  })
})
