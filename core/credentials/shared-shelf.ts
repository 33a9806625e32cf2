// Sealed tokens in a PostgreSQL database, which several gateways share. All of them need the same key.
import { existsSync } from 'node:fs'
import type { Migrations, Postgres, SqlRow, Stores } from '../plugin/index.ts'
import { StoreFault } from '../store/fault.ts'
import { proofOf, unseal } from './sealed.ts'
import { openShelfFile, readRow, type Shelf, USER_TOKENS_FILE } from './shelf.ts'

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
  ],
}

type Place = Pick<Stores, 'open' | 'resolve'>

/** Rejects where the tables cannot be brought up, are of a later version, or hold what was sealed under another key. */
export async function openSharedShelf(database: Postgres, key: Uint8Array, place: Place): Promise<Shelf> {
  await database.migrate(tables, 'apply')
  const ask = (sql: string, ...params: (string | Uint8Array)[]): Promise<SqlRow[]> => database.query(sql, params)
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
    revision: async () => Number((await ask(`SELECT revision FROM ${S}.revision`))[0]?.revision),
    purge() {},
    close: () => database.close(),
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
