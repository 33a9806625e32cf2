// keys list: every key by its public id, those of the config included.
import { alignColumns, type CommandIo } from 'mcpgw/plugin'
import type { AuthConfig } from '../config.ts'
import { describeRate, type StoredKey } from '../stored-key.ts'
import { openStore } from '../vault.ts'
import { isoTime } from './lifetime.ts'

interface Line {
  readonly id: string
  readonly name: string
  readonly principal: string
  readonly roles: readonly string[]
  readonly tenant: string
  readonly state: 'active' | 'expired' | 'revoked' | 'disabled'
  readonly source: 'store' | 'config'
  /** ISO times, null where there is none. */
  readonly createdAt: string | null
  readonly expiresAt: string | null
  readonly revokedAt: string | null
  /** To the minute or so; null also for keys of the config. */
  readonly lastUsed: string | null
  /** `100/min`; null where the key has none of its own. */
  readonly rate: string | null
}

export async function listKeys(io: CommandIo<AuthConfig>): Promise<number> {
  const store = await openStore(io.stores, io.config)
  let lines: Line[]
  try {
    const uses = await store.lastUses()
    lines = (await store.all()).map(key => describe(key, uses.get(key.id), io.clock.now()))
  } finally {
    await store.close()
  }
  for (const { id, name = '', consumerId, roles, tenant, enabled } of io.config.apiKeys) {
    const times = { createdAt: null, expiresAt: null, revokedAt: null, lastUsed: null, rate: null }
    lines.push({ id, name, principal: consumerId, roles, tenant, state: enabled ? 'active' : 'disabled', source: 'config', ...times })
  }
  const { tenant } = io.options
  // Whoever asks whether anybody can come in at all is told of what is no key, too. Of one tenant it is not said: it could be another's.
  const otherWays = tenant === undefined ? io.config.jwt.length + io.config.certificates.length : 0
  if (tenant !== undefined) lines = lines.filter(line => line.tenant === tenant)
  if (io.json) io.out(JSON.stringify({ keys: lines, ...(otherWays > 0 && { otherWays }) }))
  else if (lines.length === 0) io.err('There are no keys. Make one with: mcpgw keys create NAME PRINCIPAL ROLES')
  else io.out(layOut(lines))
  return 0
}

function describe(key: StoredKey, usedAt: number | undefined, now: number): Line {
  const { id, name, principal, roles, tenant, createdAt, expiresAt, revokedAt } = key
  const state = revokedAt !== undefined ? 'revoked' : expiresAt !== undefined && expiresAt <= now ? 'expired' : 'active'
  const times = { createdAt: isoTime(createdAt), expiresAt: isoTime(expiresAt), revokedAt: isoTime(revokedAt), lastUsed: isoTime(usedAt) }
  const rate = key.rate === undefined ? null : describeRate(key.rate)
  return { id, name, principal, roles, tenant, state, source: 'store', ...times, rate }
}

function layOut(lines: readonly Line[]): string {
  const rows = [
    ['ID', 'NAME', 'PRINCIPAL', 'ROLES', 'TENANT', 'RATE', 'EXPIRES', 'LAST USED', 'STATE'],
    ...lines.map(line => [
      line.id,
      line.name || '-',
      line.principal,
      line.roles.join(',') || '-',
      line.tenant,
      line.rate ?? '-',
      line.expiresAt?.slice(0, 10) ?? '-',
      line.lastUsed?.slice(0, 16) ?? '-',
      line.source === 'config' ? `${line.state} (in the config)` : line.state,
    ]),
  ]
  return alignColumns(rows)
}
