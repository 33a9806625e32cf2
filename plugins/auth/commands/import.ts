// keys import: takes the keys that stand in the config as plain text into the key store, under their ids, so that they can go from the file.
import type { CommandIo } from 'mcpgw/plugin'
import type { AuthConfig } from '../config.ts'
import { readConfigKeys } from '../config-keys.ts'
import { openVault } from '../vault.ts'
import { tellRecord } from './tell-record.ts'

type Outcome = 'imported' | 'there already' | 'disabled'

export async function importKeys(io: CommandIo<AuthConfig>): Promise<number> {
  const { apiKeys } = io.config
  if (apiKeys.length === 0) {
    io.err('No keys stand in the config.')
    return 0
  }
  const vault = openVault(io.stores, io.config)
  try {
    const found = readKeys(io, () => readConfigKeys(apiKeys, vault.pepper))
    if (found === undefined) return 3
    const stored = vault.store.all()
    const taken = found.find(({ id, digest }) => stored.some(key => key.id === id && !Buffer.from(key.digest).equals(digest)))
    if (taken !== undefined) {
      io.err(`${taken.id} is the id of another key in the key store: give it another one in the config. Nothing was imported.`)
      return 3
    }
    const createdAt = io.clock.now()
    const outcomes = found.map(({ id, digest, principal, closed }, at): { id: string; outcome: Outcome } => {
      if (closed !== undefined) return { id, outcome: 'disabled' }
      if (stored.some(key => Buffer.from(key.digest).equals(digest))) return { id, outcome: 'there already' }
      const { roles, tenant, claims } = principal
      const name = apiKeys[at]?.name ?? id
      vault.store.create({ id, digest, name, principal: principal.id, roles, tenant, claims, createdAt }, io.operator)
      return { id, outcome: 'imported' }
    })
    await tellRecord(io, vault.store)
    if (io.json) io.out(JSON.stringify({ keys: outcomes }))
    else for (const { id, outcome } of outcomes) io.out(`${id}  ${outcome}`)
    io.err(
      `Now take ${outcomes.map(({ id }) => id).join(', ')} out of the config (apiKeys; in a gateway.yaml auth.keys). Clients keep their keys.`,
    )
    return 0
  } finally {
    vault.store.close()
  }
}

function readKeys<Keys>(io: CommandIo<AuthConfig>, read: () => Keys): Keys | undefined {
  try {
    return read()
  } catch (error) {
    io.err((error as Error).message)
    return undefined
  }
}
