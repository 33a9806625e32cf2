// Opens what keys are checked against: the key store and the pepper that it was made under.
import type { KeyObject } from 'node:crypto'
import type { Stores } from 'mcpgw/plugin'
import type { AuthConfig } from './config.ts'
import { digestKey } from './key.ts'
import { openPepper } from './pepper.ts'
import { type KeyStore, openKeyStore } from './store.ts'

export interface Vault {
  readonly store: KeyStore
  readonly pepper: KeyObject
}

/** Throws, saying how to mend it, where either is unsafe or they do not belong together. */
export function openVault(stores: Stores, config: AuthConfig): Vault {
  const path = stores.resolve(config.keys.pepper)
  const pepper = openPepper(stores, path)
  const store = openKeyStore(stores, config.keys.path)
  if (store.matchesPepper(digestKey(pepper, 'proof of the pepper'))) return { store, pepper }
  store.close()
  throw new Error(
    `auth: ${path} is not the pepper that the keys in ${config.keys.path} were made under. Restore it, or move the key store away and create the keys anew.`,
  )
}
