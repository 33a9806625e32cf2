// `audit verify` on the file of a real gateway: consistent as it is, and every changed byte, row or order is found, whatever the column.
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Database, SqlValue } from '../../core/plugin/index.ts'
import { createFolder, isBuilt, runCli, startProduct } from './product.ts'
import { openRecords, verify } from './records.ts'
import { openSession } from './rpc.ts'
import { oddServer } from './servers.ts'

const COLUMNS = ['n', 'stream', 'seq', 'at', 'type', 'call', 'prev', 'hash', 'body'] as const
const ENDS = ['body', 'hash'] as const
const CHANGES = [
  'DELETE FROM record WHERE n = 4',
  'DELETE FROM record WHERE n BETWEEN 2 AND 6',
  "INSERT INTO record SELECT 1000, 'x.y', 1, at, type, call, prev, hash, body FROM record WHERE n = 3",
  'UPDATE record SET body = (SELECT body FROM record AS other WHERE other.n = 9 - record.n) WHERE n IN (4, 5)',
  `UPDATE record SET body = replace(body, '"outcome":"answered"', '"outcome":"cancelled"') WHERE type = 'outcome'`,
]

/** A data directory with the record of a small run: a start, calls that went well and badly, a refusal, a stop. */
async function recordRun(): Promise<string> {
  const dir = createFolder()
  const product = await startProduct({ dir, config: { servers: [{ id: 'odd', ...oddServer() }], plugins: ['audit', 'redact'] } })
  const session = await openSession(product.origin)
  for (const tool of ['echo', 'pid', 'echo', 'exit']) await session.call(`odd__${tool}`, { from: 'the run' })
  await session.call('odd__no_such_tool')
  await product.stop()
  return dir
}

/** The same value with one byte changed, of the same type. */
function changeByte(value: SqlValue | undefined): SqlValue {
  if (typeof value === 'number') return value + 1
  if (typeof value === 'bigint') return value + 1n
  if (typeof value === 'string') return value === '' ? 'x' : `${value.slice(0, -2)}${value.at(-2) === '0' ? '1' : '0'}${value.at(-1)}`
  const bytes = Uint8Array.from(value ?? [])
  bytes[0] = (bytes[0] ?? 0) ^ 1
  return bytes
}

/** What `audit verify` says of a copy to which `change` was done. */
function verifyChanged(dir: string, change: (db: Database) => void): { code: number | null; said: string } {
  const copy = createFolder()
  cpSync(join(dir, '.mcpgw'), join(copy, '.mcpgw'), { recursive: true })
  const db = openRecords(join(copy, '.mcpgw'), false)
  try {
    change(db)
  } finally {
    db.close()
  }
  return verify(copy)
}

describe.skipIf(!isBuilt)('the record of a run', () => {
  test('is consistent, and not proven for want of a checkpoint: exit 4', async () => {
    const { code, said } = verify(await recordRun())
    expect(code).toBe(4)
    expect(said).toMatch(/^CONSISTENT, completeness not proven: \d+ records in 1 stream, \d+ checkpoints of its own$/m)
  })

  test('with one byte changed in any column is broken, and the place is named: exit 1', async () => {
    const dir = await recordRun()
    const count = ((db: Database): number => {
      const found = Number(db.prepare('SELECT count(*) AS n FROM record').get()?.n)
      db.close()
      return found
    })(openRecords(join(dir, '.mcpgw')))
    // Each column of a record in the middle; of the first and the last what has no neighbour on one side.
    const middle = Math.ceil(count / 2)
    const places = [
      ...COLUMNS.map(column => [middle, column] as const),
      ...[1, count].flatMap(n => ENDS.map(column => [n, column] as const)),
    ]
    for (const [n, column] of places) {
      const { code, said } = verifyChanged(dir, db => {
        const value = db.prepare(`SELECT ${column} AS value FROM record WHERE n = ?`).get(n)?.value
        // A number that is taken already would be refused by the table itself.
        const changed = column === 'n' ? count + 10 : changeByte(value)
        if (column === 'seq') db.exec('DROP INDEX IF EXISTS record_stream_seq')
        expect(db.prepare(`UPDATE record SET ${column} = ? WHERE n = ?`).run(changed, n).changes).toBe(1)
      })
      expect(code, `${column} of record ${n}: ${said}`).toBe(1)
      expect(said).toMatch(/^BROKEN at record/m)
      expect(said).toMatch(new RegExp(`\\brecord ${n}\\b`))
    }
  }, 60_000)

  test('with records taken out, put in, exchanged or rewritten is broken: exit 1', async () => {
    const dir = await recordRun()
    for (const sql of CHANGES) {
      const { code, said } = verifyChanged(dir, db => db.exec(sql))
      expect(code, `${sql}: ${said}`).toBe(1)
    }
  })

  test('that is missing or no database at all is not called consistent', async () => {
    const empty = createFolder()
    expect(verify(empty).code).toBe(3)
    const dir = createFolder({ 'notes.txt': 'this is no database '.repeat(500) })
    expect(runCli(['audit', 'verify', join(dir, 'notes.txt')], dir).code).not.toBe(4)
  })
})
