// The tables of a log in SQLite, and the only statements that write to them.

export const SCHEMA = 4

// `body` is the evidence; the columns before it repeat what is searched for, and verification compares each with the body.
// `n` counts all records of the file without gaps. There is no further index on `record`: it would cost a quarter of each write, and what looks
// for a stream is rare. `stream` is a work list, no evidence: `open` is 1 while its boot runs or has left calls open, 2 where it was ended in order,
// 0 where a later stream refers to its end; none of its records is before `start`.
// `record_first`: only one record continues nothing, so that of gateways that begin a log at once, one does.
// Version 1 had the first two tables only, as they are here; version 2 all but `hold`, version 3 all but `retired`.
export const setup: string = `
CREATE TABLE IF NOT EXISTS record (
  n INTEGER PRIMARY KEY, stream TEXT NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, type TEXT NOT NULL, call TEXT NOT NULL,
  prev BLOB NOT NULL, hash BLOB NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS record_first ON record (prev) WHERE prev = zeroblob(32);
CREATE TABLE IF NOT EXISTS stream (name TEXT PRIMARY KEY, open INTEGER NOT NULL, start INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS subject (id TEXT PRIMARY KEY, lookup TEXT NOT NULL, key TEXT NOT NULL, who TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS subject_lookup ON subject (lookup);
CREATE TABLE IF NOT EXISTS checkpoint (
  stream TEXT NOT NULL, size INTEGER NOT NULL, at INTEGER NOT NULL, frontier TEXT NOT NULL, note TEXT NOT NULL, PRIMARY KEY (stream, size)
) STRICT;
CREATE TABLE IF NOT EXISTS tombstone (
  stream TEXT NOT NULL, through INTEGER NOT NULL, at INTEGER NOT NULL, link TEXT NOT NULL, frontier TEXT NOT NULL, note TEXT NOT NULL,
  PRIMARY KEY (stream, through)
) STRICT;
CREATE TABLE IF NOT EXISTS hold (id TEXT PRIMARY KEY, tenant TEXT, consumer TEXT, reason TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS retired (subject TEXT PRIMARY KEY) STRICT;
PRAGMA user_version = ${SCHEMA};`

/** In the order of ROWS. */
export const statements: readonly string[] = [
  'INSERT INTO record (stream, seq, at, type, call, prev, hash, body) VALUES (?, ?, ?, ?, ?, unhex(?), unhex(?), ?)',
  // Its first records are there already: those that close calls of earlier boots, too.
  `INSERT INTO stream (name, open, start)
    SELECT own.name, 1, coalesce((SELECT n FROM record WHERE stream <> own.name ORDER BY n DESC LIMIT 1), 0) FROM (SELECT ? AS name) AS own`,
  'UPDATE stream SET open = 2 WHERE name = ?',
  'UPDATE stream SET open = 0 WHERE name = ?',
  // The same one again where the fate of the first attempt was unknown.
  'INSERT OR IGNORE INTO subject (id, lookup, key, who) VALUES (?, ?, ?, ?)',
  'INSERT OR IGNORE INTO checkpoint (stream, size, at, frontier, note) VALUES (?, ?, ?, ?, ?)',
  'INSERT OR IGNORE INTO tombstone (stream, through, at, link, frontier, note) VALUES (?, ?, ?, ?, ?, ?)',
]

export const RECORD: string = 'n, stream, seq, at, type, call, prev, hash, CAST(body AS BLOB) AS body'
