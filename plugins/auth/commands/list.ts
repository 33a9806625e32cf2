// keys list: every key by its public id, those of the config included.
import { alignColumns, type CommandIo } from 'mcpgw/plugin'
import type { AuthConfig } from '../config.ts'
import { type KeyLine, lineOfConfig, lineOfStored } from '../key-line.ts'
import { openStore } from '../vault.ts'

export async function listKeys(io: CommandIo<AuthConfig>): Promise<number> {
  const store = await openStore(io.stores, io.config)
  let lines: KeyLine[]
  try {
    const uses = await store.lastUses()
    lines = (await store.all()).map(key => lineOfStored(key, uses.get(key.id), io.clock.now()))
  } finally {
    await store.close()
  }
  lines.push(...io.config.apiKeys.map(lineOfConfig))
  const { tenant } = io.options
  // Whoever asks whether anybody can come in at all is told of what is no key, too. Of one tenant it is not said: it could be another's.
  const otherWays = tenant === undefined ? io.config.jwt.length + io.config.certificates.length : 0
  if (tenant !== undefined) lines = lines.filter(line => line.tenant === tenant)
  if (io.json) io.out(JSON.stringify({ keys: lines, ...(otherWays > 0 && { otherWays }) }))
  else if (lines.length === 0) io.err('There are no keys. Make one with: mcpgw keys create NAME PRINCIPAL ROLES')
  else io.out(layOut(lines))
  return 0
}

function layOut(lines: readonly KeyLine[]): string {
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
