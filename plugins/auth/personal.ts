// What auth keeps about people: the keys that stand for them, and what of these is still to be recorded.
import type { Awaitable, Person, PersonalData, PersonalIo } from 'mcpgw/plugin'
import type { AuthConfig } from './config.ts'
import type { AnyKeyStore } from './shared-store.ts'
import { hasStore, openStore } from './vault.ts'

export const personal: PersonalData<AuthConfig> = {
  async export(person, io) {
    const found = await withStore(io, async store => ({ ...(await store.about(person.id, person.tenant)), uses: await store.lastUses() }))
    const { keys, events, uses } = found ?? { keys: [], events: [], uses: new Map<string, number>() }
    const plain = ofConfig(person, io)
    if (keys.length + events.length + plain.length === 0) return undefined
    const iso = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString())
    return {
      keys: keys.map(({ id, name, principal, roles, tenant, claims, createdAt, expiresAt, revokedAt }) => ({
        id,
        name,
        principal,
        roles,
        tenant,
        claims: JSON.stringify(claims),
        createdAt: iso(createdAt),
        expiresAt: iso(expiresAt),
        revokedAt: iso(revokedAt),
        lastUsed: iso(uses.get(id)),
      })),
      unrecorded: events.map(({ id, at, type, detail }) => ({ id, at: iso(at), type, detail })),
      config: plain,
    }
  },
  async erase(person, io) {
    const found = await withStore(io, store => store.erase(person.id, person.tenant, io.clock.now(), io.operator))
    const entries = found === undefined ? 0 : found.keys.length + found.events.length
    const plain = ofConfig(person, io)
    return { entries, ...(plain.length > 0 && { left: `the config names them (${plain.join(', ')}): take that out` }) }
  },
}

/** Undefined where there is none yet: none is made for this. */
async function withStore<Result>(
  { stores, config }: PersonalIo<AuthConfig>,
  work: (store: AnyKeyStore) => Awaitable<Result>,
): Promise<Result | undefined> {
  if (!hasStore(stores, config)) return undefined
  const store = await openStore(stores, config)
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

/** Where the config names them; a principal of everybody's, whom the config did not name, is nobody. */
function ofConfig({ id, tenant }: Person, { config }: PersonalIo<AuthConfig>): readonly string[] {
  const keys = config.apiKeys.filter(key => key.consumerId === id && key.tenant === (tenant ?? key.tenant)).map(key => `apiKeys ${key.id}`)
  const { stdio } = config
  return stdio.id === id && stdio.tenant === (tenant ?? stdio.tenant) && stdio.id !== 'local' ? [...keys, 'stdio'] : keys
}
