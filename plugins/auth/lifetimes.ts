// How long what a caller has open may stay open: until the last of their tokens has ended, by its time or with its key.
import type { Principal } from 'mcpgw/plugin'

interface Holder {
  until: number
  stillHolds: () => boolean
  isOver: boolean
}

export interface Lifetimes {
  /** `until`: ms since 1970. `stillHolds`: whether the key is still one of the issuer's. */
  note(principal: Principal, until: number, stillHolds: () => boolean): void
  /** Tells principals whose last token has ended lately; undefined where there is none. To be asked at least twice a second. */
  look(now: number): ((principal: Principal) => boolean) | undefined
}

// Ends by time are seen at once; those of keys may take so many looks.
const looksBetweenKeys = 4
// A request that was identified just before shows up a little later: told of again for so many looks.
const looksAfter = 20

/** Invariant: whoever gets a new token in time keeps what they opened with an older one. */
export function createLifetimes(): Lifetimes {
  const byOwner = new Map<string, Holder>()
  const byPrincipal = new WeakMap<Principal, Holder>()
  let soonest = Number.POSITIVE_INFINITY
  let looks = 0
  let toTell = 0
  const isOver = (principal: Principal): boolean => byPrincipal.get(principal)?.isOver === true

  function sweep(now: number): void {
    soonest = Number.POSITIVE_INFINITY
    for (const [owner, holder] of byOwner) {
      if (now < holder.until && holder.stillHolds()) {
        soonest = Math.min(soonest, holder.until)
        continue
      }
      holder.isOver = true
      byOwner.delete(owner)
      toTell = looksAfter
    }
  }

  return {
    note(principal, until, stillHolds) {
      const owner = JSON.stringify([principal.tenant, principal.id, principal.via.issuer])
      const holder = byOwner.get(owner) ?? { until, stillHolds, isOver: false }
      if (until > holder.until) Object.assign(holder, { until, stillHolds })
      byOwner.set(owner, holder)
      byPrincipal.set(principal, holder)
      soonest = Math.min(soonest, holder.until)
    },
    look(now) {
      looks = (looks + 1) % looksBetweenKeys
      if (now >= soonest || looks === 0) sweep(now)
      if (toTell === 0) return undefined
      toTell -= 1
      return isOver
    },
  }
}
