// The keys in memory in step with their store: all are read once, and then only those that changed.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Awaitable, Clock } from 'mcpgw/plugin'
import { goOn } from './at-once.ts'
import { type Mark, PAGE } from './changes.ts'
import type { Endings } from './endings.ts'
import { createKeyRing, type KeyRing, makePrincipal, nameDigest, type RingKey } from './ring.ts'
import type { StoredKey } from './stored-key.ts'
import type { Vault } from './vault.ts'

export interface KeptKeys {
  /** Undefined until they are read, and while they are not trusted. */
  readonly ring: KeyRing | undefined
  /** When the store was last known to say what `ring` says; monotonic, ms. */
  readonly readAt: number
  /** Takes over what changed in the store; true where something did. Throws or rejects where that cannot be told; not to be called again before. */
  refresh(): Awaitable<boolean>
  /** Until the next refresh that succeeds. What is open under them ends at once, or then where its key has ended meanwhile. */
  distrust(open: 'ends' | 'stays'): void
}

/** `fixed`: keys of the config. */
export function createKeptKeys({ store, pepper }: Vault, fixed: readonly RingKey[], endings: Endings, clock: Clock): KeptKeys {
  let ring: KeyRing | undefined
  let seen: Mark | undefined
  let readAt = clock.mono()
  let isTrusted = false

  function trust(since: number): void {
    readAt = since
    isTrusted = true
  }

  async function readAll(): Promise<boolean> {
    const began = clock.mono()
    // Invariant: where the log ends is read before the keys, so that a change between the two is seen at the next look.
    const until = await store.latest()
    const next = createKeyRing(pepper, fixed)
    for (let page = await store.page(''); page.length > 0; page = await store.page(page.at(-1)!.id)) {
      for (const key of page) next.put(key.id, readStored(key))
      if (page.length < PAGE) break
      await nextTurn()
    }
    endings.replace(ring, next)
    ring = next
    seen = until
    trust(began)
    return true
  }

  function readChanged(into: KeyRing, since: Mark): Awaitable<boolean> {
    const began = clock.mono()
    return goOn(store.changes(since), changes => {
      if (changes === undefined) return readAll()
      for (const [id, key] of changes.keys) into.put(id, key && readStored(key), endings.change)
      seen = changes.until
      if (changes.isMore) return nextTurn().then(async () => (await readChanged(into, changes.until)) || true)
      trust(began)
      return changes.keys.size > 0
    })
  }

  return {
    get ring() {
      return isTrusted ? ring : undefined
    },
    get readAt() {
      return readAt
    },
    refresh: () => (ring === undefined || seen === undefined ? readAll() : readChanged(ring, seen)),
    distrust(open) {
      isTrusted = false
      if (open === 'ends' && ring !== undefined) endings.end(ring.keys(), 'unreadable')
    },
  }
}

function readStored(key: StoredKey): RingKey {
  return {
    id: key.id,
    digest: nameDigest(key.digest),
    principal: makePrincipal(key.principal, key.name, key.roles, key.tenant, { method: 'api-key', keyId: key.id }, key.claims, key.rate),
    ...(key.expiresAt === undefined ? {} : { expiresAt: key.expiresAt }),
    ...(key.revokedAt === undefined ? {} : { closed: 'revoked' as const }),
  }
}
