// The tables, and the only statements that write to them.
import type { Append } from 'mcpgw/plugin'

export const SCHEMA = 1

// `body` is the evidence; the columns before it repeat what is searched for, and verification compares each with the body.
// `n` counts all records of the file without gaps. There is no further index: it would cost a quarter of each write, and what looks for a
// stream is rare. `stream` is a work list (which boots may have left calls open, and before which record none of them began), no evidence.
export const setup: string = `
CREATE TABLE IF NOT EXISTS record (
  n INTEGER PRIMARY KEY, stream TEXT NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, type TEXT NOT NULL, call TEXT NOT NULL,
  prev BLOB NOT NULL, hash BLOB NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS stream (name TEXT PRIMARY KEY, open INTEGER NOT NULL, start INTEGER NOT NULL) STRICT;
PRAGMA user_version = ${SCHEMA};`

// Hashes come as hex: a byte array of 32 bytes costs more to make, and much more to hand to a thread, than all of the text.
export const statements: readonly string[] = [
  'INSERT INTO record (stream, seq, at, type, call, prev, hash, body) VALUES (?, ?, ?, ?, ?, unhex(?), unhex(?), ?)',
  'INSERT INTO stream (name, open, start) VALUES (?, 1, (SELECT max(n) FROM record))',
  'UPDATE stream SET open = 0 WHERE name = ?',
]

export const openStream = (name: string): Append => ({ sql: 1, params: [name] })
export const closeStream = (name: string): Append => ({ sql: 2, params: [name] })

/** As `*`, but the body as the bytes in the file: text with a damaged character would read like text with a replaced one. */
export const exactColumns: string = 'n, stream, seq, at, type, call, prev, hash, CAST(body AS BLOB) AS body'

/** One row of `record`. */
export interface StoredRecord {
  readonly n: number
  readonly stream: string
  readonly seq: number
  readonly at: number
  readonly type: string
  readonly call: string
  readonly prev: Uint8Array
  readonly hash: Uint8Array
  readonly body: string
}
