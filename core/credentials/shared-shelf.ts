// Sealed tokens, and visits that are under way, in a PostgreSQL database, which several gateways share. All of them need the same key.
import { existsSync } from 'node:fs'
import type { Migrations, Postgres, SqlRow, Stores } from '../plugin/index.ts'
import { StoreFault } from '../store/fault.ts'
import { proofOf, unseal } from './sealed.ts'
import { openShelfFile, readRow, type Shelf, USER_TOKENS_FILE, type VisitRows } from './shelf.ts'

const S = 'mcpgw_credentials'

export const tables: Migrations = {
  schema: S,
  steps: [
    `-- What users have given gateways for servers, sealed under the key that gateways share.
CREATE SCHEMA IF NOT EXISTS ${S};
CREATE TABLE ${S}.schema_version (version integer PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now());
INSERT INTO ${S}.schema_version (version) VALUES (1);
CREATE TABLE ${S}.user_token (id text PRIMARY KEY, sealed bytea NOT NULL);
-- Proof of the key that they were sealed under.
CREATE TABLE ${S}.fact (name text PRIMARY KEY, value bytea NOT NULL);
-- Grows with each one that is taken away: what gateways look at.
CREATE TABLE ${S}.revision (revision bigint NOT NULL);
INSERT INTO ${S}.revision VALUES (0);
CREATE FUNCTION ${S}.note_taken_away() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE ${S}.revision SET revision = revision + 1;
  RETURN NULL;
END $$;
CREATE TRIGGER taken_away AFTER DELETE OR TRUNCATE ON ${S}.user_token FOR EACH STATEMENT EXECUTE FUNCTION ${S}.note_taken_away();`,
    `-- Visits of users to authorization servers that are under way, sealed under the same key.
CREATE TABLE ${S}.visit (
  id text PRIMARY KEY, visitor text NOT NULL, until timestamptz NOT NULL, begun bigint GENERATED ALWAYS AS IDENTITY, sealed bytea NOT NULL
);
CREATE INDEX visit_visitor ON ${S}.visit (visitor, begun);
-- One after the other, so that none is more than the bounds allow. False where there is no room.
CREATE FUNCTION ${S}.begin_visit(new_id text, new_sealed bytea, new_visitor text, good interval, of_one bigint, in_all bigint)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('mcpgw visits', 0));
  DELETE FROM ${S}.visit WHERE until < clock_timestamp();
  DELETE FROM ${S}.visit WHERE id IN (SELECT id FROM ${S}.visit WHERE visitor = new_visitor ORDER BY begun DESC OFFSET of_one - 1);
  INSERT INTO ${S}.visit (id, visitor, until, sealed)
    SELECT new_id, new_visitor, clock_timestamp() + good, new_sealed WHERE (SELECT count(*) FROM ${S}.visit) < in_all;
  RETURN FOUND;
END $$;
-- Grows with each token that a user gives: what gateways look at whose users may come back to another one.
ALTER TABLE ${S}.revision ADD COLUMN given bigint NOT NULL DEFAULT 0;
CREATE FUNCTION ${S}.note_given() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE ${S}.revision SET given = given + 1;
  RETURN NULL;
END $$;
CREATE TRIGGER given AFTER INSERT ON ${S}.user_token FOR EACH STATEMENT EXECUTE FUNCTION ${S}.note_given();
INSERT INTO ${S}.schema_version (version) VALUES (2);`,
  ],
}

type Ask = (sql: string, ...params: (string | number | Uint8Array | readonly string[])[]) => Promise<SqlRow[]>
type Place = Pick<Stores, 'open' | 'resolve'>

/** Rejects where the tables cannot be brought up, are of a later version, or hold what was sealed under another key. */
export async function openSharedShelf(database: Postgres, key: Uint8Array, place: Place): Promise<Shelf> {
  await database.migrate(tables, 'apply')
  const ask: Ask = (sql, ...params) => database.query(sql, params)
  await checkKey(database, key, place)
  await takeOver(database, key, place)
  return {
    get: async id => (await ask(`SELECT sealed FROM ${S}.user_token WHERE id = $1`, id))[0]?.sealed as Uint8Array | undefined,
    put: async ({ id, sealed }) =>
      void (await ask(`INSERT INTO ${S}.user_token VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed`, id, sealed)),
    replace: async ({ id, sealed }, before) =>
      (await ask(`UPDATE ${S}.user_token SET sealed = $2 WHERE id = $1 AND sealed = $3 RETURNING id`, id, sealed, before)).length > 0,
    remove: async ({ id, sealed }) =>
      (await ask(`DELETE FROM ${S}.user_token WHERE id = $1 AND sealed = $2 RETURNING id`, id, sealed)).length > 0,
    all: async () => (await ask(`SELECT id, sealed FROM ${S}.user_token`)).map(readRow),
    async revision() {
      const [row] = await ask(`SELECT revision, given FROM ${S}.revision`)
      return { taken: Number(row?.revision), given: Number(row?.given) }
    },
    purge() {},
    shared: {
      visits: openVisitRows(ask),
      which: async ids => (await ask(`SELECT id FROM ${S}.user_token WHERE id = ANY($1::text[])`, ids)).map(({ id }) => id as string),
    },
    close: () => database.close(),
  }
}

function openVisitRows(ask: Ask): VisitRows {
  return {
    async begin({ id, sealed }, visitor, { goodMs, ofOne, inAll }) {
      const sql = `SELECT ${S}.begin_visit($1, $2, $3, $4 * interval '1 ms', $5, $6) AS begun`
      return (await ask(sql, id, sealed, visitor, goodMs, ofOne, inAll))[0]?.begun === 1
    },
    get: async id => (await ask(`SELECT sealed FROM ${S}.visit WHERE id = $1 AND until >= now()`, id))[0]?.sealed as Uint8Array | undefined,
    replace: async ({ id, sealed }, before) =>
      (await ask(`UPDATE ${S}.visit SET sealed = $2 WHERE id = $1 AND sealed = $3 RETURNING id`, id, sealed, before)).length > 0,
    remove: async ({ id, sealed }) =>
      (await ask(`DELETE FROM ${S}.visit WHERE id = $1 AND sealed = $2 RETURNING id`, id, sealed)).length > 0,
    all: async () => (await ask(`SELECT id, sealed FROM ${S}.visit`)).map(readRow),
    clear: async () => void (await ask(`DELETE FROM ${S}.visit WHERE until < now()`)),
  }
}

async function checkKey(database: Postgres, key: Uint8Array, { resolve }: Place): Promise<void> {
  const proof = proofOf(key)
  await database.query(`INSERT INTO ${S}.fact VALUES ('key', $1) ON CONFLICT DO NOTHING`, [proof])
  const [kept] = await database.query(`SELECT value FROM ${S}.fact WHERE name = 'key'`)
  if (Buffer.from(proof).equals(kept?.value as Uint8Array)) return
  throw new StoreFault(
    'store-unreadable',
    `${resolve('credentials.key')} is not the key that the tokens in ${database.name} were sealed under; copy it from the gateway that was there first`,
  )
}

/** What this gateway kept in a file before it had the database. What lies there is newer and stays. */
async function takeOver(database: Postgres, key: Uint8Array, place: Place): Promise<void> {
  if (!existsSync(place.resolve(USER_TOKENS_FILE))) return
  const file = openShelfFile(place)
  try {
    const rows = await file.all()
    if (rows.length === 0) return
    for (const { id, sealed } of rows)
      if (unseal(key, id, sealed) !== undefined)
        await database.query(`INSERT INTO ${S}.user_token VALUES ($1, $2) ON CONFLICT DO NOTHING`, [id, sealed])
    // Invariant: what is taken back in the database does not lie elsewhere still.
    for (const row of rows) await file.remove(row)
    await file.purge()
  } finally {
    await file.close()
  }
}
