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
  /** Tells principals whose last token has ended since the last look; undefined where there is none. */
  look(now: number): ((principal: Principal) => boolean) | undefined
}

// Ends by time are seen at once; those of keys may take so many looks.
const looksBetweenKeys = 4

/** Invariant: whoever gets a new token in time keeps what they opened with an older one. */
export function createLifetimes(): Lifetimes {
  const byOwner = new Map<string, Holder>()
  const byPrincipal = new WeakMap<Principal, Holder>()
  let soonest = Number.POSITIVE_INFINITY
  let looks = 0

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
      if (now < soonest && looks > 0) return undefined
      let found = false
      soonest = Number.POSITIVE_INFINITY
      for (const [owner, holder] of byOwner) {
        if (now < holder.until && holder.stillHolds()) {
          soonest = Math.min(soonest, holder.until)
          continue
        }
        holder.isOver = true
        found = true
        byOwner.delete(owner)
      }
      return found ? principal => byPrincipal.get(principal)?.isOver === true : undefined
    },
  }
}
