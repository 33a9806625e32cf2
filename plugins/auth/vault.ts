// Opens what keys are checked against: the key store and the pepper that it was made under.

import type { KeyObject } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { Stores } from 'mcpgw/plugin'
import type { AuthConfig } from './config.ts'
import { digestKey } from './key.ts'
import { KeyStoreFault } from './key-store-fault.ts'
import { openPepper } from './pepper.ts'
import { type AnyKeyStore, openSharedStore } from './shared-store.ts'
import { openKeyStore } from './store.ts'

export interface Vault {
  readonly store: AnyKeyStore
  readonly pepper: KeyObject
}

type KeysConfig = Pick<AuthConfig, 'keys'>

/** Rejects, saying how to mend it, where either is unsafe or they do not belong together. */
export async function openVault(stores: Stores, config: KeysConfig): Promise<Vault> {
  const path = stores.resolve(config.keys.pepper)
  const pepper = openPepper(stores, path)
  const { store, where } = await open(stores, config)
  try {
    if (await store.matchesPepper(proveWith(pepper))) return { store, pepper }
    const otherwise = config.keys.shared
      ? 'Copy it from the machine that made them.'
      : 'Restore it, or move the key store away and create the keys anew.'
    throw new KeyStoreFault(`auth: ${path} is not the pepper that the keys in ${where} were made under. ${otherwise}`)
  } catch (error) {
    await store.close()
    throw error
  }
}

/** What a key store keeps of the pepper: it gives nothing of it away. */
export const proveWith = (pepper: KeyObject): Buffer => digestKey(pepper, 'proof of the pepper')

/** For what needs no pepper. */
export async function openStore(stores: Stores, config: KeysConfig): Promise<AnyKeyStore> {
  return (await open(stores, config)).store
}

/** Whether there is one: none is made by asking. */
export function hasStore(stores: Stores, { keys: { shared, path } }: KeysConfig): boolean {
  return shared || path === ':memory:' || existsSync(stores.resolve(path))
}

async function open(stores: Stores, { keys: { shared, path } }: KeysConfig): Promise<{ store: AnyKeyStore; where: string }> {
  if (!shared) return { store: openKeyStore(stores, path), where: path }
  const database = stores.postgres()
  if (database === undefined) throw new KeyStoreFault('auth: keys.shared: true needs a database: name one as "url" of "store"')
  try {
    return { store: await openSharedStore(database), where: database.name }
  } catch (error) {
    await database.close()
    throw error
  }
}
