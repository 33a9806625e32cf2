// Visits of users to authorization servers that are under way: in the memory of this gateway, or sealed in a database that gateways share.
import { isOf } from '../owner.ts'
import type { Awaitable, Clock, Person } from '../plugin/index.ts'
import { idOf, seal, unseal } from './sealed.ts'
import type { Row, VisitBounds, VisitRows } from './shelf.ts'

export interface Visit {
  readonly id: string
  readonly server: string
  readonly owner: string
  /** In words, for the user. */
  readonly principal: string
  /** Of the client that it is for: with another one it does not go on. */
  readonly mark: string
  /** Of the browser that opened it; the first one has it. */
  readonly cookie?: string
  readonly word?: string
  /** Set once confirmed. */
  readonly way?: { readonly state: string; readonly verifier: string; readonly saysIssuer: boolean }
}

/** Each visit ends after ten minutes. Each of these is done whole or not at all. */
export interface Visits {
  /** False where there is no room for it. An older one of the same user for the same server may make room. */
  begin(visit: Visit): Awaitable<boolean>
  find(id: string): Awaitable<Visit | undefined>
  /** False where `found` is not as it was found any more: somebody else was first. */
  change(found: Visit, next: Visit): Awaitable<boolean>
  /** As `change`; afterwards there is none. */
  take(found: Visit): Awaitable<boolean>
}

const BOUNDS: VisitBounds = { goodMs: 600_000, ofOne: 10, inAll: 10_000 }

export function createVisits(clock: Clock): Visits {
  const pending = new Map<string, { readonly visit: Visit; readonly until: number }>()
  const isThere = (found: Visit): boolean => pending.get(found.id)?.visit === found

  return {
    begin(visit) {
      for (const {
        visit: { id },
        until,
      } of pending.values())
        if (until < clock.mono()) pending.delete(id)
      const own = [...pending.values()].filter(one => one.visit.owner === visit.owner && one.visit.server === visit.server)
      // An agent that calls again and again asks for the same thing.
      if (own.length >= BOUNDS.ofOne) pending.delete(own[0]!.visit.id)
      if (pending.size >= BOUNDS.inAll) return false
      pending.set(visit.id, { visit, until: clock.mono() + BOUNDS.goodMs })
      return true
    },
    find(id) {
      const one = pending.get(id)
      return one !== undefined && one.until >= clock.mono() ? one.visit : undefined
    },
    change(found, next) {
      if (!isThere(found)) return false
      pending.set(found.id, { visit: next, until: pending.get(found.id)!.until })
      return true
    },
    take: found => isThere(found) && pending.delete(found.id),
  }
}

/** `key`: the one that gateways share. */
export function createSealedVisits(rows: VisitRows, key: Uint8Array): Visits {
  /** As they lie there. */
  const seals = new WeakMap<Visit, Uint8Array>()
  const rowOf = (visit: Visit): Row => {
    const id = idOf(key, 'visit', visit.id)
    return { id, sealed: seal(key, id, visit) }
  }

  return {
    begin: visit => rows.begin(rowOf(visit), idOf(key, 'visitor', visit.server, visit.owner), BOUNDS),
    async find(name) {
      const id = idOf(key, 'visit', name)
      const sealed = await rows.get(id)
      const visit = unseal<Visit>(key, id, sealed)
      if (visit !== undefined) seals.set(visit, sealed!)
      return visit
    },
    async change(found, next) {
      const before = seals.get(found)
      return before !== undefined && rows.replace(rowOf(next), before)
    },
    async take(found) {
      const sealed = seals.get(found)
      return sealed !== undefined && rows.remove({ id: idOf(key, 'visit', found.id), sealed })
    },
  }
}

/** Nothing of them is left. */
export async function eraseVisits(rows: VisitRows, key: Uint8Array, person: Pick<Person, 'id' | 'tenant'>): Promise<void> {
  for (;;) {
    const own = (await rows.all()).filter(({ id, sealed }) => isOf(unseal<Visit>(key, id, sealed)?.owner ?? '', person))
    if (own.length === 0) return
    // One that went on meanwhile is found once more.
    for (const row of own) await rows.remove(row)
  }
}
