// A key as a store has it: its digest and whom it stands for, never the key itself.
import type { Rate, SqlRow } from 'mcpgw/plugin'

export const rateSpans: readonly { readonly name: string; readonly ms: number }[] = [
  { name: 's', ms: 1000 },
  { name: 'min', ms: 60_000 },
  { name: 'h', ms: 3_600_000 },
  { name: 'd', ms: 86_400_000 },
]

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
  readonly rate?: Rate
}

/** `100/min`: for lists and the record. */
export function describeRate({ most, perMs }: Pick<Rate, 'most' | 'perMs'>): string {
  return `${most}/${rateSpans.find(({ ms }) => ms === perMs)?.name ?? `${perMs}ms`}`
}

export const shownRate = ({ rate }: Pick<StoredKey, 'rate'>): { readonly rate?: string } =>
  rate === undefined ? {} : { rate: describeRate(rate) }

/** As both stores keep it. */
export const writeRate = (rate: Rate | undefined): string | null => (rate === undefined ? null : JSON.stringify(rate))

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
    ...(row.rate === null ? {} : { rate: JSON.parse(String(row.rate)) as Rate }),
  }
}
