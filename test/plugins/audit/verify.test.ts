// The log is tamper-evident: any changed byte of any column, any removed, added, moved or re-hashed record is found and named.
import { copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Database, SqlValue } from 'mcpgw/plugin'
import { beforeAll, describe, expect, test } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import { leafOfBody, linkRecord } from '../../../plugins/audit/chain.ts'
import { call, createExchange, payload, type Ran, runCommand, startGateway, tempDir } from './gateway.ts'

const COLUMNS = ['n', 'stream', 'seq', 'at', 'type', 'call', 'prev', 'hash', 'body'] as const

/** Two boots with three calls each; every test works on a copy. */
async function writeLog(): Promise<string> {
  const dir = tempDir()
  for (const _boot of [1, 2]) {
    const gateway = await startGateway({ dir })
    for (let i = 0; i < 3; i++)
      await call(gateway, createExchange({ args: payload({ i }), resource: { kind: 'call', server: 'files', tool: 'replaced \ufffd' } }))
    await gateway.stop()
  }
  return dir
}

async function verifyAfter(tamper: (db: Database) => void): Promise<Ran> {
  const dir = await writeLog()
  const db = createStores({ dataDir: dir }).open('audit.db')
  tamper(db)
  db.close()
  return runCommand(dir, 'audit verify')
}

describe('an untouched log', () => {
  test('is consistent, and never more than that without a checkpoint', async () => {
    const ran = await verifyAfter(() => {})
    expect(ran).toMatchObject({ code: 4, out: 'CONSISTENT, completeness not proven: 22 records in 2 streams, 4 checkpoints of its own\n' })
  })

  test('is described as one document with --json', async () => {
    const dir = await writeLog()
    const ran = await runCommand(dir, 'audit verify', { json: true })
    expect(JSON.parse(ran.out)).toEqual({
      verdict: 'consistent',
      completeness: 'not proven',
      file: join(dir, 'audit.db'),
      records: 22,
      proven: 0,
      streams: 2,
      checkpoints: 4,
      retired: 0,
      openIntents: 0,
      unannounced: 0,
      clockSteps: 0,
      upTo: null,
      broken: null,
    })
  })
})

describe('one changed byte', () => {
  let dir: string
  let rows: number
  beforeAll(async () => {
    dir = await writeLog()
    const db = createStores({ dataDir: dir }).open('audit.db', { readOnly: true })
    rows = Number(db.prepare('SELECT count(*) AS size FROM record').get()?.size)
    db.close()
  })

  /** The same value but for one byte (or 1, for a number). */
  function change(value: SqlValue, at: number): SqlValue {
    if (typeof value === 'number') return value + 1
    const bytes = Buffer.from(value as string | Uint8Array)
    bytes[at % bytes.length]! ^= 1
    return typeof value === 'string' ? bytes.toString('latin1') : new Uint8Array(bytes)
  }

  test.each(COLUMNS)('in column %s is found in every record, and the record is named', async column => {
    for (let n = 1; n <= rows; n++) {
      const copy = tempDir()
      copyFileSync(join(dir, 'audit.db'), join(copy, 'audit.db'))
      const db = createStores({ dataDir: copy }).open('audit.db')
      const row = db.prepare('SELECT * FROM record WHERE n = ?').get(n)!
      const before = row[column]!
      // The number of a record may move into a gap only.
      const after = column === 'n' ? rows + 1 : before === '' ? 'x' : change(before, n * 7)
      db.prepare(`UPDATE record SET ${column} = ? WHERE n = ?`).run(after, n)
      db.close()
      const ran = await runCommand(copy, 'audit verify')
      expect([n, ran.code]).toEqual([n, 1])
      expect(ran.out).toContain('BROKEN at record ')
      if (column !== 'n') expect(ran.out).toContain(`BROKEN at record ${n} `)
    }
  })

  test('is found where it hides behind a replacement character', async () => {
    const ran = await verifyAfter(db => {
      const { body } = db.prepare('SELECT CAST(body AS BLOB) AS body FROM record WHERE n = 4').get()!
      const bytes = Buffer.from(body as Uint8Array)
      const at = bytes.indexOf(Buffer.from('\ufffd'))
      expect(at).toBeGreaterThan(0)
      // Not UTF-8 any more, and decoded to the same text.
      const changed = Buffer.concat([bytes.subarray(0, at), Buffer.from([0xff]), bytes.subarray(at + 3)])
      db.prepare('UPDATE record SET body = CAST(? AS TEXT) WHERE n = 4').run(new Uint8Array(changed))
    })
    expect(ran).toMatchObject({ code: 1, out: expect.stringContaining('BROKEN at record 4 ') as string })
  })
})

describe('a changed log', () => {
  const shift = (db: Database, from: number, by: number): void => {
    // In two steps, as numbers are unique.
    db.prepare('UPDATE record SET n = -(n + ?) WHERE n >= ?').run(by, from)
    db.exec('UPDATE record SET n = -n WHERE n < 0')
  }
  /** What somebody does who knows how the chain is made: every hash from `from` on is computed anew. */
  const rehash = (db: Database, from: number): void => {
    const links = new Map<SqlValue, Uint8Array>()
    for (const row of db.prepare('SELECT * FROM record ORDER BY n').all()) {
      const prev = Number(row.n) < from ? (row.prev as Uint8Array) : (links.get(row.stream!) ?? (row.prev as Uint8Array))
      const link = Number(row.n) < from ? (row.hash as Uint8Array) : linkRecord(prev, leafOfBody(Buffer.from(String(row.body))))
      links.set(row.stream!, link)
      db.prepare('UPDATE record SET prev = ?, hash = ? WHERE n = ?').run(prev, link, row.n!)
    }
  }

  test.each([
    ['a record is deleted', 7, (db: Database) => db.exec('DELETE FROM record WHERE n = 6')],
    [
      'a record is deleted and the rest renumbered',
      6,
      (db: Database) => {
        db.exec('DELETE FROM record WHERE n = 6')
        shift(db, 7, -1)
      },
    ],
    ['the beginning is cut off', 5, (db: Database) => db.exec('DELETE FROM record WHERE n <= 4')],
    ['a whole boot is cut out', 1, (db: Database) => db.exec('DELETE FROM record WHERE n <= 10; UPDATE record SET n = n - 10')],
    [
      'two records change places',
      5,
      (db: Database) => {
        db.exec('UPDATE record SET n = 99 WHERE n = 5; UPDATE record SET n = 5 WHERE n = 6; UPDATE record SET n = 6 WHERE n = 99')
      },
    ],
    [
      'two records change their contents',
      5,
      (db: Database) => {
        db.exec('UPDATE record SET body = (SELECT body FROM record AS other WHERE other.n = 5 + 7 - record.n) WHERE n IN (5, 7)')
      },
    ],
    [
      'a record is inserted',
      5,
      (db: Database) => {
        shift(db, 5, 1)
        db.exec('INSERT INTO record SELECT 5, stream, 99, at, type, call, prev, hash, body FROM record WHERE n = 4')
      },
    ],
    [
      'a body is changed and its own hash with it',
      5,
      (db: Database) => {
        db.exec(`UPDATE record SET body = replace(body, '"files"', '"other"') WHERE n = 4`)
        const { prev, body } = db.prepare('SELECT * FROM record WHERE n = 4').get()!
        db.prepare('UPDATE record SET hash = ? WHERE n = 4').run(linkRecord(prev as Uint8Array, leafOfBody(Buffer.from(String(body)))))
      },
    ],
    [
      'an earlier boot is re-hashed from the middle on',
      11,
      (db: Database) => {
        db.exec(`UPDATE record SET body = replace(body, '"files"', '"other"') WHERE n = 4`)
        rehash(db, 4)
      },
    ],
    ['a body is no JSON any more', 4, (db: Database) => db.exec(`UPDATE record SET body = substr(body, 2) WHERE n = 4`)],
  ] as const)('%s: found at record %d', async (_what, n, tamper) => {
    const ran = await verifyAfter(tamper)
    expect(ran.out).toContain(`BROKEN at record ${n} `)
    expect(ran.code).toBe(1)
  })

  test('what one file cannot show once its checkpoints are gone, too: a tail that was cut, or re-hashed to the very end, is not called valid', async () => {
    const cut = await verifyAfter(db => db.exec('DELETE FROM record WHERE n > 15; DELETE FROM checkpoint WHERE size > 3'))
    const rehashed = await verifyAfter(db => {
      db.exec(`UPDATE record SET body = replace(body, '"files"', '"other"') WHERE n = 14`)
      rehash(db, 14)
      db.exec('DELETE FROM checkpoint WHERE at = (SELECT max(at) FROM checkpoint)')
    })
    for (const ran of [cut, rehashed]) {
      expect(ran.code).toBe(4)
      expect(ran.out).toContain('completeness not proven')
      expect(ran.err).toContain('leave no trace in the log itself')
    }
  })

  test('calls without an outcome are counted', async () => {
    const dir = tempDir()
    const gateway = await startGateway({ dir })
    await gateway.hooks.onSealed!(createExchange())
    expect((await runCommand(dir, 'audit verify')).out).toContain('1 call without an outcome')
  })
})

describe('a file that is no log', () => {
  test('a missing one, a text and another database are unreadable: 3', async () => {
    const dir = tempDir()
    expect(await runCommand(dir, 'audit verify')).toMatchObject({
      code: 3,
      out: '',
      err: expect.stringContaining('no such file') as string,
    })
    writeFileSync(join(dir, 'audit.db'), 'not a database, but long enough to look like one to a hurried reader '.repeat(9))
    expect((await runCommand(dir, 'audit verify')).code).toBe(3)
    createStores({ dataDir: dir }).open('other.db').exec('CREATE TABLE other (x)')
    expect(await runCommand(dir, 'audit verify', {}, { args: ['other.db'] })).toMatchObject({
      code: 3,
      err: expect.stringContaining('no audit log') as string,
    })
  })

  test('an empty one proves nothing', async () => {
    const ran = await verifyAfter(db => db.exec('DELETE FROM record; DELETE FROM checkpoint'))
    expect(ran).toMatchObject({ code: 4, out: 'EMPTY: no records, so nothing is proven\n' })
  })

  test('one whose pages are damaged is broken, not unreadable', async () => {
    const dir = await writeLog()
    const path = join(dir, 'audit.db')
    const size = readFileSync(path).length
    truncateSync(path, Math.floor(size / 4096 / 2) * 4096)
    const ran = await runCommand(dir, 'audit verify')
    expect([1, 3]).toContain(ran.code)
    expect(ran.out + ran.err).toMatch(/damaged|malformed|is no audit log/)
  })
})
