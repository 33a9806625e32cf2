// The key store in a PostgreSQL database, which gateways on several machines share. Each change and its event are one statement.
import { randomUUID } from 'node:crypto'
import type { Awaitable, Postgres, SqlRow } from 'mcpgw/plugin'
import { PAGE, readChanges, readMark, selectChanges, selectLatest } from './changes.ts'
import { tables } from './migrations.ts'
import { type Holdings, type KeyStore, readEvent, readUses, TAKEN_MS } from './store.ts'
import { readKey, type StoredKey, shownRate, writeRate } from './stored-key.ts'

/** A key store, wherever it is. */
export type AnyKeyStore = {
  readonly [Name in keyof KeyStore]: (...given: Parameters<KeyStore[Name]>) => Awaitable<ReturnType<KeyStore[Name]>>
}

const S = tables.schema
const insertKey = `INSERT INTO ${S}.key (id, digest, name, principal, roles, tenant, created_at, expires_at, claims, rate)`
const insertEvent = `INSERT INTO ${S}.event (id, at, type, actor, detail)`
const changed = selectChanges(`${S}.change`, `${S}.key`, '$1')
const mine = 'principal = $1 AND ($2::text IS NULL OR tenant = $2::text)'
const mineIn = "detail::jsonb ->> 'principal' = $1 AND ($2::text IS NULL OR detail::jsonb ->> 'tenant' = $2::text)"

/** In the order of `insertKey`. */
function columnsOf({
  id,
  digest,
  name,
  principal,
  roles,
  tenant,
  createdAt,
  expiresAt,
  claims,
  rate,
}: StoredKey): (string | number | Uint8Array | null)[] {
  const [list, facts] = [JSON.stringify(roles), JSON.stringify(claims)]
  return [id, digest, name, principal, list, tenant, createdAt, expiresAt ?? null, facts, writeRate(rate)]
}

function detailOf(key: StoredKey): object {
  const { id, name, principal, roles, tenant, expiresAt } = key
  return { key: id, name, principal, roles, tenant, ...(expiresAt !== undefined && { expiresAt }), ...shownRate(key) }
}

/** Rejects where the tables cannot be brought up, or are of a later version. */
export async function openSharedStore(database: Postgres): Promise<AnyKeyStore> {
  await database.migrate(tables, 'apply')
  const all = async (sql: string, ...params: (string | number | Uint8Array | null)[]): Promise<SqlRow[]> => database.query(sql, params)
  const one = async (...given: Parameters<typeof all>): Promise<SqlRow | undefined> => (await all(...given))[0]
  const holdings = (keys: readonly SqlRow[], events: readonly SqlRow[]): Holdings => ({
    keys: keys.map(readKey),
    events: events.map(readEvent).toSorted((a, b) => a.seq - b.seq),
  })

  return {
    async create(key, by) {
      await all(
        `WITH made AS (${insertKey} VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10))
          ${insertEvent} VALUES ($11, $7, 'key.create', $12, $13)`,
        ...columnsOf(key),
        randomUUID(),
        JSON.stringify(by),
        JSON.stringify(detailOf(key)),
      )
    },
    async rotate(old, next, until, by, only) {
      const { id, principal, tenant } = next
      const rotated = { key: old, to: id, until, principal, tenant }
      const rows = await all(
        `WITH old AS (UPDATE ${S}.key SET expires_at = $11 WHERE id = $12 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $7) AND tenant = coalesce($18::text, tenant) RETURNING id),
          made AS (${insertKey} SELECT $1::text, $2::bytea, $3::text, $4::text, $5::text, $6::text, $7::bigint, $8::bigint, $9::text, $10::text FROM old)
          ${insertEvent} SELECT row.* FROM old, (VALUES ($13::text, $7::bigint, 'key.create', $14::text, $15::text), ($16::text, $7::bigint, 'key.rotate', $14::text, $17::text)) AS row
          RETURNING seq`,
        ...columnsOf(next),
        until,
        old,
        randomUUID(),
        JSON.stringify(by),
        JSON.stringify(detailOf(next)),
        randomUUID(),
        JSON.stringify(rotated),
        only ?? null,
      )
      return rows.length > 0
    },
    async revoke(id, at, by, tenant) {
      const done = await one(
        `WITH done AS (UPDATE ${S}.key SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL AND tenant = coalesce($5::text, tenant) RETURNING id, principal, tenant)
          ${insertEvent} SELECT $3::text, $2::bigint, 'key.revoke', $4::text, json_build_object('key', id, 'principal', principal, 'tenant', tenant)::text FROM done RETURNING seq`,
        id,
        at,
        randomUUID(),
        JSON.stringify(by),
        tenant ?? null,
      )
      if (done !== undefined) return 'revoked'
      return (await one(`SELECT 1 AS there FROM ${S}.key WHERE id = $1 AND tenant = coalesce($2::text, tenant)`, id, tenant ?? null)) ===
        undefined
        ? 'unknown'
        : 'already-revoked'
    },
    all: async () => (await all(`SELECT * FROM ${S}.key ORDER BY created_at, id`)).map(readKey),
    async find(id) {
      const row = await one(`SELECT * FROM ${S}.key WHERE id = $1`, id)
      return row && readKey(row)
    },
    page: async id => (await all(`SELECT * FROM ${S}.key WHERE id > $1 ORDER BY id LIMIT ${PAGE}`, id)).map(readKey),
    latest: async () => readMark(await one(selectLatest(`${S}.change`))),
    changes: async since => readChanges(await all(changed, since.revision), since),
    take: async now => {
      const free = `SELECT seq FROM ${S}.event WHERE taken_at IS NULL OR abs($1::bigint - taken_at) > ${TAKEN_MS} FOR UPDATE SKIP LOCKED`
      const rows = await all(`UPDATE ${S}.event SET taken_at = $1::bigint WHERE seq IN (${free}) RETURNING *`, now)
      return rows.map(readEvent).toSorted((a, b) => a.seq - b.seq)
    },
    forget: async seq => void (await all(`DELETE FROM ${S}.event WHERE seq = $1`, seq)),
    giveBack: async seq => void (await all(`UPDATE ${S}.event SET taken_at = NULL WHERE seq = $1`, seq)),
    hasEvents: async () => (await one(`SELECT seq FROM ${S}.event LIMIT 1`)) !== undefined,
    async noteUses(uses) {
      // In one order, so that gateways which write at once do not wait for each other in a circle.
      await database.query(
        `INSERT INTO ${S}.last_use SELECT id, used.at FROM unnest($1::text[], $2::bigint[]) AS used (key_id, at) JOIN ${S}.key ON id = key_id ORDER BY id
          ON CONFLICT (key_id) DO UPDATE SET at = excluded.at WHERE excluded.at > last_use.at`,
        [uses.map(([id]) => id), uses.map(([, at]) => at)],
      )
    },
    lastUses: async ids =>
      readUses(
        await database.query(`SELECT key_id, at FROM ${S}.last_use WHERE $1::text[] IS NULL OR key_id = ANY($1::text[])`, [ids ?? null]),
      ),
    async matchesPepper(proof) {
      await all(`INSERT INTO ${S}.fact VALUES ('pepper', $1) ON CONFLICT DO NOTHING`, proof)
      const kept = await one(`SELECT value FROM ${S}.fact WHERE name = 'pepper'`)
      return Buffer.from(proof).equals(kept?.value as Uint8Array)
    },
    about: async (id, tenant) =>
      holdings(
        await all(`SELECT * FROM ${S}.key WHERE ${mine} ORDER BY created_at, id`, id, tenant ?? null),
        await all(`SELECT * FROM ${S}.event WHERE ${mineIn}`, id, tenant ?? null),
      ),
    async erase(id, tenant, at, by) {
      const events = await all(`DELETE FROM ${S}.event WHERE ${mineIn} RETURNING *`, id, tenant ?? null)
      const keys = await all(
        `WITH gone AS (DELETE FROM ${S}.key WHERE ${mine} RETURNING *),
          unused AS (DELETE FROM ${S}.last_use WHERE key_id IN (SELECT id FROM gone)),
          told AS (${insertEvent} SELECT gen_random_uuid()::text, $3::bigint, 'key.revoke', $4::text, json_build_object('key', id, 'why', 'erasure')::text FROM gone WHERE revoked_at IS NULL)
          SELECT * FROM gone`,
        id,
        tenant ?? null,
        at,
        JSON.stringify(by),
      )
      return holdings(keys, events)
    },
    close: () => database.close(),
  }
}
