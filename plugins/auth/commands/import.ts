// keys import: takes the keys that stand in the config as plain text into the key store, under their ids, so that they can go from the file.
import type { CommandIo } from 'mcpgw/plugin'
import type { AuthConfig } from '../config.ts'
import { readConfigKeys } from '../config-keys.ts'
import { findSameIds } from '../same-ids.ts'
import { openKeyStore } from '../store.ts'
import type { StoredKey } from '../stored-key.ts'
import { hasStore, openVault, proveWith, type Vault } from '../vault.ts'
import { tellRecord } from './tell-record.ts'

type Outcome = 'imported' | 'there already' | 'disabled'

export async function importKeys(io: CommandIo<AuthConfig>): Promise<number> {
  const { apiKeys, keys } = io.config
  const vault = await openVault(io.stores, io.config)
  try {
    const found = readKeys(io, () => [...readPlain(io, vault), ...(keys.shared ? readFile(io, vault) : [])])
    if (found === undefined) return 3
    if (found.length === 0) {
      io.err('No keys stand in the config.')
      return 0
    }
    const stored = await vault.store.all()
    const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.from(a).equals(b)
    const taken = found.find(({ id, digest }) => stored.some(key => key.id === id && !isSame(key.digest, digest)))
    if (taken !== undefined) {
      io.err(`${taken.id} is the id of another key in the key store: give it another one in the config. Nothing was imported.`)
      return 3
    }
    const outcomes: { id: string; outcome: Outcome }[] = []
    for (const { closed, ...key } of found) {
      const isThere = stored.some(({ digest }) => isSame(digest, key.digest))
      if (!closed && !isThere) await vault.store.create(key, io.operator)
      outcomes.push({ id: key.id, outcome: closed ? 'disabled' : isThere ? 'there already' : 'imported' })
    }
    await tellRecord(io, vault.store)
    const held = found.filter(({ closed }) => !closed).map(({ principal, tenant }) => ({ id: principal, tenant }))
    for (const same of findSameIds(io.config.jwt, held)) io.err(`Warning: ${same}.`)
    if (io.json) io.out(JSON.stringify({ keys: outcomes }))
    else for (const { id, outcome } of outcomes) io.out(`${id}  ${outcome}`)
    if (apiKeys.length > 0) {
      const ids = apiKeys.map(({ id }) => id).join(', ')
      io.err(`Now take ${ids} out of the config (apiKeys; in a gateway.yaml auth.keys). Clients keep their keys.`)
    }
    return 0
  } finally {
    await vault.store.close()
  }
}

type Found = StoredKey & { readonly closed: boolean }

function readPlain({ config: { apiKeys }, clock }: CommandIo<AuthConfig>, { pepper }: Vault): Found[] {
  return readConfigKeys(apiKeys, pepper).map(({ id, digest, principal, closed }, at) => {
    const { roles, tenant, claims } = principal
    const name = apiKeys[at]?.name ?? id
    return {
      id,
      digest: Buffer.from(digest, 'latin1'),
      name,
      principal: principal.id,
      roles,
      tenant,
      claims,
      createdAt: clock.now(),
      closed: closed !== undefined,
    }
  })
}

/** Of the file that was the key store before the database; its keys are of the same pepper, or none is taken. */
function readFile({ stores, config: { keys }, clock }: CommandIo<AuthConfig>, { pepper }: Vault): Found[] {
  if (!hasStore(stores, { keys: { ...keys, shared: false } })) return []
  const file = openKeyStore(stores, keys.path)
  try {
    if (!file.matchesPepper(proveWith(pepper)))
      throw new Error(`The keys in ${keys.path} were made under another pepper. Nothing was imported.`)
    const now = clock.now()
    return file
      .all()
      .filter(({ revokedAt, expiresAt }) => revokedAt === undefined && now < (expiresAt ?? Number.POSITIVE_INFINITY))
      .map(key => ({ ...key, closed: false }))
  } finally {
    file.close()
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
