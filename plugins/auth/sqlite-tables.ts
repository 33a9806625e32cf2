// The tables of keys in a file: what each version of the gateway adds to them.

export const SCHEMA = 6

const first = `
  CREATE TABLE IF NOT EXISTS keys (
    id TEXT PRIMARY KEY, digest BLOB NOT NULL UNIQUE, name TEXT NOT NULL, principal TEXT NOT NULL, roles TEXT NOT NULL,
    tenant TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER) STRICT;
  CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, at INTEGER NOT NULL, type TEXT NOT NULL, actor TEXT NOT NULL, detail TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
`

const mark = 'lower(hex(randomblob(8)))'
const note = (row: 'OLD' | 'NEW'): string => `INSERT INTO changes (key_id, mark) VALUES (${row}.id, ${mark});`

const steps = [
  first,
  "ALTER TABLE keys ADD COLUMN claims TEXT NOT NULL DEFAULT '{}';",
  // Events are taken by one process at a time.
  'ALTER TABLE events ADD COLUMN taken_at INTEGER;',
  // The log of changes, written by the database, whoever changes a key. It begins with a row of no key, so that there is always a last one.
  `CREATE TABLE changes (revision INTEGER PRIMARY KEY, key_id TEXT NOT NULL, mark TEXT NOT NULL) STRICT;
   INSERT INTO changes (key_id, mark) VALUES ('', ${mark});
   CREATE TRIGGER key_made AFTER INSERT ON keys BEGIN ${note('NEW')} END;
   CREATE TRIGGER key_changed AFTER UPDATE ON keys BEGIN ${note('NEW')} END;
   CREATE TRIGGER key_gone AFTER DELETE ON keys BEGIN ${note('OLD')} END;`,
  // Apart from the keys, as a use is no change of a key.
  'CREATE TABLE last_uses (key_id TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;',
  'ALTER TABLE keys ADD COLUMN rate TEXT;',
]

/** What brings tables of `version` to this one. */
export const stepsFrom = (version: number): string => `${steps.slice(version).join('\n')} PRAGMA user_version = ${SCHEMA};`
