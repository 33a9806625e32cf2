// What somebody may do to a stored log who can write to it, from one byte to all of it put back to an older state.
import { generateKeyPairSync } from 'node:crypto'
import type { Database, SqlRow, SqlValue } from 'mcpgw/plugin'
import { leafOfBody, linkRecord } from './chain.ts'
import { openCheckpoint } from './checkpoint-row.ts'
import { signerOf, signNote, type Trusted } from './note.ts'

export interface Tampering {
  readonly kind: string
  /** One copy of the log for each. */
  readonly ways: readonly ((log: Target) => void)[]
}

export interface Target {
  readonly db: Database
  /** Somewhere within the log: numbers of records; `middle` and its neighbours are of one stream. */
  readonly middle: number
  readonly last: number
  readonly keys: readonly Trusted[]
}

const rowAt = (db: Database, n: number): SqlRow => db.prepare('SELECT * FROM record WHERE n = ?').get(n)!
const bytesOf = (value: SqlValue | undefined): Buffer => Buffer.from(value as string | Uint8Array)

/** One bit of one byte; a number by one. */
function changed(value: SqlValue | undefined): SqlValue {
  if (typeof value === 'number') return value + 1
  if (value === '') return 'x'
  const bytes = bytesOf(value)
  bytes[bytes.length >> 1]! ^= 1
  return typeof value === 'string' ? bytes.toString('latin1') : new Uint8Array(bytes)
}

const changeColumn = (column: string) => (log: Target) =>
  void log.db.prepare(`UPDATE record SET ${column} = ? WHERE n = ?`).run(changed(rowAt(log.db, log.middle)[column]), log.middle)

/** As one does who knows how a chain is made: of the stream of `from`, every record from there on, or that one only. */
function rehash({ db, middle }: Target, isToEnd: boolean): void {
  db.prepare(`UPDATE record SET body = replace(body, '"at":', '"at": ') WHERE n = ?`).run(middle)
  let { prev } = rowAt(db, middle)
  const rows = db.prepare('SELECT * FROM record WHERE stream = ? AND n >= ? ORDER BY n').all(rowAt(db, middle).stream!, middle)
  for (const row of isToEnd ? rows : rows.slice(0, 1)) {
    const link = linkRecord(bytesOf(prev), leafOfBody(bytesOf(row.body)))
    db.prepare('UPDATE record SET prev = ?, hash = ? WHERE n = ?').run(prev!, link, row.n!)
    prev = link
  }
}

function insert({ db, middle, last }: Target): void {
  const before = rowAt(db, middle)
  const seq = Number(before.seq) + 1
  const body = String(before.body).replace(`"seq":${seq - 1},`, `"seq":${seq},`)
  const link = linkRecord(bytesOf(before.hash), leafOfBody(Buffer.from(body)))
  db.prepare('UPDATE record SET n = n + ? WHERE n > ?').run(last + 1, middle)
  db.prepare('UPDATE record SET n = n - ? WHERE n > ?').run(last, last)
  db.prepare('INSERT INTO record (n, stream, seq, at, type, call, prev, hash, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
    ...([middle + 1, before.stream, seq, before.at, before.type, before.call, before.hash, link, body] as SqlValue[]),
  )
}

/** All that a thorough one would remove, too: checkpoints of what is not there any more. */
function cutBehind(db: Database, n: number): void {
  db.prepare('DELETE FROM record WHERE n > ?').run(n)
  db.exec('DELETE FROM checkpoint WHERE size > (SELECT coalesce(max(seq), 0) FROM record WHERE record.stream = checkpoint.stream)')
}

const newest = (db: Database): SqlRow => db.prepare('SELECT * FROM checkpoint ORDER BY at DESC, size DESC LIMIT 1').get()!
const setNote = (db: Database, note: string): void =>
  void db.prepare('UPDATE checkpoint SET note = ? WHERE note = ?').run(note, newest(db).note!)

function signAnew({ db, keys }: Target): void {
  const note = String(newest(db).note)
  const { origin } = openCheckpoint(note, keys)!
  const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
  setNote(db, signNote(signerOf(origin, pem), note.slice(0, note.lastIndexOf('\n\n') + 1)))
}

export const tamperings: readonly Tampering[] = [
  { kind: 'a byte changed in each column', ways: ['stream', 'seq', 'at', 'type', 'call', 'prev', 'hash', 'body'].map(changeColumn) },
  {
    kind: 'a record deleted, the rest renumbered',
    ways: [
      ({ db, middle, last }) => {
        db.prepare('DELETE FROM record WHERE n = ?').run(middle)
        db.prepare('UPDATE record SET n = n + ? WHERE n > ?').run(last, middle)
        db.prepare('UPDATE record SET n = n - ? WHERE n > ?').run(last + 1, last)
      },
    ],
  },
  { kind: 'a record inserted, with a link that fits', ways: [insert] },
  {
    kind: 'two records swapped',
    ways: [
      ({ db, middle }) => {
        const [one, two] = [rowAt(db, middle), rowAt(db, middle + 1)]
        const put = db.prepare('UPDATE record SET seq = ?, at = ?, type = ?, call = ?, body = ? WHERE n = ?')
        for (const [row, n] of [
          [one, middle + 1],
          [two, middle],
        ] as const)
          put.run(row.seq!, row.at!, row.type!, row.call!, row.body!, n)
      },
    ],
  },
  { kind: 'a record rewritten, with its own hash', ways: [log => rehash(log, false)] },
  { kind: 'a stream re-hashed from a record to its end', ways: [log => rehash(log, true)] },
  { kind: 'the tail cut off, with its checkpoints', ways: [({ db, last }) => cutBehind(db, last - 1)] },
  {
    kind: 'a whole stream removed, with its checkpoints',
    ways: [
      ({ db }) => {
        const { stream } = newest(db)
        for (const table of ['record', 'checkpoint']) db.prepare(`DELETE FROM ${table} WHERE stream = ?`).run(stream!)
      },
    ],
  },
  {
    kind: 'a checkpoint altered',
    ways: [
      ({ db }) =>
        setNote(
          db,
          String(newest(db).note).replace(/\nat \d/, text => `${text}0`),
        ),
    ],
  },
  {
    kind: 'a checkpoint removed',
    ways: [
      ({ db }) => {
        const told = db.prepare("SELECT * FROM record WHERE type = 'audit.checkpoint' ORDER BY n DESC LIMIT 1").get()!
        const { size } = (JSON.parse(String(told.body)) as { detail: { size: number } }).detail
        db.prepare('DELETE FROM checkpoint WHERE stream = ? AND size = ?').run(told.stream!, size)
      },
    ],
  },
  { kind: 'a checkpoint signed with another key', ways: [signAnew] },
  { kind: 'all of it put back to an older copy', ways: [({ db, middle }) => cutBehind(db, middle)] },
]
