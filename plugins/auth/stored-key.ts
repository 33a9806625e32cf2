// A key as a store has it: its digest and whom it stands for, never the key itself.
import type { SqlRow } from 'mcpgw/plugin'

/** Times are ms since 1970. */
export interface StoredKey {
  readonly id: string
  readonly digest: Uint8Array
  readonly name: string
  readonly principal: string
  readonly roles: readonly string[]
  readonly tenant: string
  readonly claims: Readonly<Record<string, unknown>>
  readonly createdAt: number
  readonly expiresAt?: number
  readonly revokedAt?: number
}

export function readKey(row: SqlRow): StoredKey {
  return {
    id: String(row.id),
    digest: row.digest as Uint8Array,
    name: String(row.name),
    principal: String(row.principal),
    roles: JSON.parse(String(row.roles)) as string[],
    tenant: String(row.tenant),
    claims: JSON.parse(String(row.claims)) as StoredKey['claims'],
    createdAt: Number(row.created_at),
    ...(row.expires_at === null ? {} : { expiresAt: Number(row.expires_at) }),
    ...(row.revoked_at === null ? {} : { revokedAt: Number(row.revoked_at) }),
  }
}
