// The tables of usage in SQLite.
import { countColumns } from './columns.ts'

export const SCHEMA = 2
/** Files of a version before know no versions of servers. */
export const WITH_VERSIONS = 2

// `span` is 0 for a window and 1 for a month; `finish` its end, exclusive. `changed`: the number of the transaction that changed the row last, to find what is new.
// `usage_version`: what of a row went to which version of its server, where that is known; such a row is there before.
// `cursor`: how far each stream of the log was counted. `lost`: records that went from the log before they were.
export const setup: string = `
CREATE TABLE IF NOT EXISTS usage (
  id INTEGER PRIMARY KEY, span INTEGER NOT NULL, start INTEGER NOT NULL, finish INTEGER NOT NULL, tenant TEXT NOT NULL, subject TEXT NOT NULL,
  server TEXT NOT NULL, target TEXT NOT NULL, ${countColumns.map(name => `${name} INTEGER NOT NULL`).join(', ')},
  changed INTEGER NOT NULL, UNIQUE (span, start, finish, tenant, subject, server, target)
) STRICT;
CREATE INDEX IF NOT EXISTS usage_changed ON usage (changed);
CREATE INDEX IF NOT EXISTS usage_finish ON usage (finish);
CREATE TABLE IF NOT EXISTS usage_version (
  span INTEGER NOT NULL, start INTEGER NOT NULL, finish INTEGER NOT NULL, tenant TEXT NOT NULL, subject TEXT NOT NULL, server TEXT NOT NULL,
  target TEXT NOT NULL, version TEXT NOT NULL, ${countColumns.map(name => `${name} INTEGER NOT NULL`).join(', ')},
  PRIMARY KEY (span, start, finish, tenant, subject, server, target, version)
) STRICT;
CREATE INDEX IF NOT EXISTS usage_version_finish ON usage_version (finish);
CREATE TABLE IF NOT EXISTS cursor (stream TEXT PRIMARY KEY, seq INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS lost (stream TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (stream, first)) STRICT;
CREATE TABLE IF NOT EXISTS state (one INTEGER PRIMARY KEY CHECK (one = 1), change INTEGER NOT NULL, place TEXT) STRICT;
INSERT OR IGNORE INTO state (one, change) VALUES (1, 0);
PRAGMA user_version = ${SCHEMA};`
