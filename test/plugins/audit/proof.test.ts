// With a checkpoint that was kept elsewhere a log is proven complete up to it, or found to lack something; without one it never is.
import { appendFileSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Database } from 'mcpgw/plugin'
import { beforeAll, describe, expect, test } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import { leafOfBody } from '../../../plugins/audit/chain.ts'
import { writeFrontier } from '../../../plugins/audit/checkpoint-row.ts'
import { writeLine } from '../../../plugins/audit/export-line.ts'
import { signNote } from '../../../plugins/audit/note.ts'
import { readSigningKey } from '../../../plugins/audit/signing-key.ts'
import type { CheckpointRow, StoredRecord } from '../../../plugins/audit/store/log-store.ts'
import { writeTombstone } from '../../../plugins/audit/tombstone.ts'
import { treeOf } from '../../../plugins/audit/tree.ts'
import { call, createExchange, type Ran, runCommand, startGateway, tempDir } from './gateway.ts'

/** Two boots with three calls each, anchored in `anchor.txt`; tests work on copies. */
let original: string
let streams: string[]
beforeAll(async () => {
  original = tempDir()
  for (const _boot of [1, 2]) {
    const gateway = await startGateway({ dir: original, config: { anchors: [{ file: 'anchor.txt' }] } })
    for (let i = 0; i < 3; i++) await call(gateway, createExchange())
    await gateway.stop()
  }
  streams = [...new Set(read(original).records.map(one => one.stream))]
})

function copy(change: (db: Database) => void = () => {}): string {
  const dir = tempDir()
  for (const name of ['audit.db', 'audit.db.key', 'audit.db.verifier', 'audit.db.signing-key', 'anchor.txt'])
    copyFileSync(join(original, name), join(dir, name))
  const db = createStores({ dataDir: dir }).open('audit.db')
  change(db)
  db.close()
  return dir
}

function read(dir: string): { records: StoredRecord[]; rows: CheckpointRow[] } {
  const db = createStores({ dataDir: dir }).open('audit.db', { readOnly: true })
  const records = db.prepare('SELECT n, stream, seq, at, type, call, prev, hash, CAST(body AS BLOB) AS body FROM record ORDER BY n').all()
  const rows = db.prepare('SELECT * FROM checkpoint ORDER BY at, stream, size').all()
  db.close()
  return { records: records as unknown as StoredRecord[], rows: rows as unknown as CheckpointRow[] }
}

const trusting = (dir: string, args: string[] = []): Promise<Ran> => runCommand(dir, 'audit verify', { checkpoint: 'anchor.txt' }, { args })
const masked = (text: string): string => text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')

describe('with the newest checkpoint', () => {
  test('an untouched log is proven, to its last record', async () => {
    const ran = await trusting(copy())
    expect({ ...ran, out: masked(ran.out) }).toEqual({
      code: 0,
      out: 'PROVEN up to the checkpoint of TIME: 22 records in 2 streams, 4 checkpoints of its own\n',
      err: '',
    })
  })

  test('what came after it is only consistent', async () => {
    const dir = copy()
    const gateway = await startGateway({ dir })
    await call(gateway, createExchange())
    const ran = await trusting(dir)
    expect(ran.code).toBe(0)
    expect(masked(ran.out)).toMatch(
      /^PROVEN up to the checkpoint of TIME: 27 records in 3 streams, .*; 5 records after it are only consistent\n$/,
    )
    await gateway.stop()
  })

  test.each([
    [
      'a tail is cut off, and what the log knows of it',
      'DELETE FROM record WHERE n > 18; DELETE FROM checkpoint WHERE size > 3',
      /records 8 to 11 of the stream are missing: they were signed in the checkpoint of TIME/,
    ],
    [
      'the last boot is cut out',
      'DELETE FROM record WHERE n > 11; DELETE FROM checkpoint WHERE stream = (SELECT stream FROM checkpoint ORDER BY at DESC LIMIT 1)',
      /records 1 to 11 of the stream are missing/,
    ],
    ['everything is gone', 'DELETE FROM record; DELETE FROM checkpoint', /records 1 to 11 of the stream are missing/],
  ])('%s: found, and without it not called valid', async (_what, sql, says) => {
    const dir = copy(db => db.exec(sql))
    const ran = await trusting(dir)
    expect(ran.code).toBe(1)
    expect(masked(ran.out)).toMatch(says)
    expect((await runCommand(dir, 'audit verify')).code).toBe(4)
  })

  test('an older copy of the log is found', async () => {
    const dir = copy()
    const gateway = await startGateway({ dir, config: { anchors: [{ file: 'anchor.txt' }] } })
    await call(gateway, createExchange())
    await gateway.stop()
    copyFileSync(join(original, 'audit.db'), join(dir, 'audit.db'))
    expect((await trusting(dir)).code).toBe(1)
  })

  test('a note that was cut off is told of, and stops nothing', async () => {
    const dir = copy()
    appendFileSync(join(dir, 'anchor.txt'), readFileSync(join(dir, 'anchor.txt'), 'utf8').slice(0, 60))
    expect(await trusting(dir)).toMatchObject({
      code: 0,
      err: '1 note of --checkpoint could not be used: cut off, or signed by another key.\n',
    })
  })

  test('another key than the one that is trusted proves nothing', async () => {
    const dir = copy()
    const other = tempDir()
    await (await startGateway({ dir: other })).stop()
    const ran = await runCommand(dir, 'audit verify', { key: join(other, 'audit.db.verifier') })
    expect(ran).toMatchObject({ code: 1, out: expect.stringContaining('its note is not signed by a trusted key') as string })
    expect(await runCommand(dir, 'audit verify', { checkpoint: 'anchor.txt', key: join(other, 'audit.db.verifier') })).toMatchObject({
      code: 2,
      err: expect.stringContaining('expected checkpoints signed by mcpgw/audit/') as string,
    })
  })
})

describe('its own checkpoints', () => {
  test('one byte changed in any column of any of them is found', async () => {
    const { rows } = read(original)
    expect(rows).toHaveLength(4)
    for (const row of rows) {
      for (const column of ['stream', 'size', 'at', 'frontier', 'note'] as const) {
        const value = row[column]
        const changes =
          typeof value === 'number'
            ? [value + 1]
            : Array.from(
                { length: value.length },
                (_, i) => value.slice(0, i) + String.fromCharCode(value.charCodeAt(i) ^ (i % 2 === 0 ? 1 : 32)) + value.slice(i + 1),
              )
        // Each place of the short ones, some of the long ones, always the last.
        for (const changed of changes.filter((_, i) => changes.length < 80 || i % 37 === 0 || i > changes.length - 4)) {
          const dir = copy(db => {
            expect(
              db.prepare(`UPDATE checkpoint SET ${column} = ? WHERE stream = ? AND size = ?`).run(changed, row.stream, row.size).changes,
            ).toBe(1)
          })
          expect([column, changed, (await runCommand(dir, 'audit verify')).code]).toEqual([column, changed, 1])
        }
      }
    }
  }, 120_000)

  test('one that is gone is missed by the record of it', async () => {
    const ran = await runCommand(
      copy(db => db.exec('DELETE FROM checkpoint WHERE size = 2')),
      'audit verify',
    )
    expect(ran.code).toBe(1)
    expect(ran.out).toMatch(/^BROKEN at record 3 \(gw\.b\d+:3\): the checkpoint of 2 records, of which this record tells, is missing\n/)
  })

  test('a tail that is cut off is missed by those that remain', async () => {
    const ran = await runCommand(
      copy(db => db.exec('DELETE FROM record WHERE n > 20')),
      'audit verify',
    )
    expect(masked(ran.out)).toBe(
      `BROKEN at record ${streams[1]}:10: records 10 to 11 of the stream are missing: they were signed in the checkpoint of TIME\n20 records before it are consistent\n`,
    )
    expect(ran.code).toBe(1)
  })
})

describe('a log whose beginning was taken out', () => {
  function retire(through: number): (db: Database) => void {
    return db => {
      const { records } = read(original)
      const gone = records.filter(one => one.stream === streams[0]).slice(0, through)
      const tree = treeOf(gone.map(one => leafOfBody(one.body)))
      const signer = readSigningKey(join(original, 'audit.db.signing-key'))!
      const link = Buffer.from(gone.at(-1)!.hash).toString('hex')
      const stone = { origin: signer.name, at: 1, stream: streams[0]!, through, frontier: tree.frontier(), link }
      db.prepare('INSERT INTO tombstone (stream, through, at, link, frontier, note) VALUES (?, ?, ?, ?, ?, ?)').run(
        streams[0]!,
        through,
        1,
        link,
        writeFrontier(stone.frontier),
        signNote(signer, writeTombstone(stone)),
      )
      db.prepare('DELETE FROM record WHERE stream = ? AND seq <= ?').run(streams[0]!, through)
    }
  }

  test.each([4, 11])('verifies from the tombstone on: through %d', async through => {
    const ran = await trusting(copy(retire(through)))
    expect(masked(ran.out)).toMatch(
      new RegExp(
        `^PROVEN up to the checkpoint of TIME: ${22 - through} records in 2 streams, .*, ${through} records taken out by tombstones\\n$`,
      ),
    )
    expect(ran.code).toBe(0)
  })

  test.each([
    ['a tombstone that somebody else signed', (db: Database) => db.exec("UPDATE tombstone SET note = replace(note, 'at 1', 'at 2')")],
    ['more taken out than it says', (db: Database) => db.exec('DELETE FROM record WHERE n = 5')],
    [
      'a changed record behind it',
      (db: Database) => db.exec('UPDATE record SET body = replace(body, \'"outcome"\', \'"outcame"\') WHERE n = 7'),
    ],
    ['no tombstone at all', (db: Database) => db.exec('DELETE FROM tombstone')],
  ])('%s is found', async (_what, change) => {
    const dir = copy(db => {
      retire(4)(db)
      change(db)
    })
    expect((await trusting(dir)).code).toBe(1)
  })
})

describe('an exported log', () => {
  function exportTo(dir: string): string[] {
    const { records, rows } = read(original)
    const lines = [
      ...records.map(record => writeLine({ kind: 'record', ...record })),
      ...rows.map(({ note }) => writeLine({ kind: 'checkpoint', note })),
    ]
    writeFileSync(join(dir, 'log.jsonl'), lines.join(''))
    return lines
  }
  const verify = (dir: string, options: Record<string, string> = { checkpoint: 'anchor.txt', key: 'audit.db.verifier' }): Promise<Ran> =>
    runCommand(dir, 'audit verify', options, { args: ['log.jsonl'] })

  test('is proven with nothing at hand but the verifier and a checkpoint', async () => {
    const dir = copy()
    exportTo(dir)
    const ran = await verify(dir)
    expect([ran.code, masked(ran.out)]).toEqual([
      0,
      'PROVEN up to the checkpoint of TIME: 22 records in 2 streams, 4 checkpoints of its own\n',
    ])
    expect((await verify(dir, {})).code).toBe(4)
  })

  test('with any line changed, taken out or exchanged is broken', async () => {
    const dir = copy()
    const lines = exportTo(dir)
    const write = (changed: readonly string[]): void => writeFileSync(join(dir, 'log.jsonl'), changed.join(''))
    for (let i = 0; i < 22; i++) {
      write(lines.with(i, lines[i]!.replace('"at\\":1', '"at\\":2')))
      expect([i, (await verify(dir)).code]).toEqual([i, 1])
      write(lines.toSpliced(i, 1))
      expect([i, (await verify(dir)).code]).toEqual([i, 1])
      // Between streams there is no order.
      if (i === 10 || i === 21) continue
      write(lines.with(i, lines[i + 1]!).with(i + 1, lines[i]!))
      expect([i, (await verify(dir)).code]).toEqual([i, 1])
    }
  })

  test('that is cut in the middle of a line says where; an empty one proves nothing', async () => {
    const dir = copy()
    exportTo(dir)
    const whole = readFileSync(join(dir, 'log.jsonl'), 'utf8')
    writeFileSync(join(dir, 'log.jsonl'), whole.slice(0, whole.length / 3))
    expect(await verify(dir, {})).toMatchObject({
      code: 1,
      out: expect.stringMatching(/damaged: at byte \d+: expected a line of an exported log; it is cut off/) as string,
    })
    writeFileSync(join(dir, 'log.jsonl'), '')
    expect(await verify(dir, {})).toMatchObject({ code: 4, out: 'EMPTY: no records, so nothing is proven\n' })
    expect((await verify(dir)).code).toBe(1)
  })
})

describe('a verification that is stopped', () => {
  test('goes on where it was, and says what it would have said', async () => {
    const dir = tempDir()
    const gateway = await startGateway({ dir, config: { anchors: [{ file: 'anchor.txt' }] } })
    const pending = createExchange()
    await gateway.hooks.onSealed!(pending)
    for (let i = 0; i < 1600; i++) await call(gateway, createExchange())
    await gateway.stop()
    const options = { checkpoint: 'anchor.txt', resume: 'progress.json' }
    const whole = await trusting(dir)
    // Between the first page and the second.
    const stop = new AbortController()
    setImmediate(() => stop.abort())
    const first = await runCommand(dir, 'audit verify', options, { signal: stop.signal })
    expect([first.code, first.out]).toEqual([3, expect.stringMatching(/^STOPPED, nothing is wrong so far: 250 records in 1 stream/)])
    const saved = readFileSync(join(dir, 'progress.json'))
    const second = await runCommand(dir, 'audit verify', options)
    expect([second.code, second.out]).toEqual([0, whole.out])
    expect(second.err).toContain('The first 250 records were checked by the run that was stopped.')
    expect(whole.out).toContain('1 call without an outcome')
    // What is wrong behind that place is found, too.
    writeFileSync(join(dir, 'progress.json'), saved)
    const db = createStores({ dataDir: dir }).open('audit.db')
    db.exec("UPDATE record SET type = 'intend' WHERE n = 3000")
    db.close()
    expect(await runCommand(dir, 'audit verify', options)).toMatchObject({
      code: 1,
      out: expect.stringContaining('BROKEN at record 3000 ') as string,
    })
    writeFileSync(join(dir, 'progress.json'), saved.toString().replace('audit.db', 'other.db'))
    expect(await runCommand(dir, 'audit verify', options)).toMatchObject({ code: 2, err: expect.stringContaining('another log') as string })
  })
})
