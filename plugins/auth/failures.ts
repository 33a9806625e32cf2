// Failed attempts are counted for each address and each key that they name: whoever fails too often is not even told whether he guessed right.
import { type Awaitable, type Deny, deny, type Exchange, networkOf, type Peer, type Principal, type RequestVerdict } from 'mcpgw/plugin'
import { goOn } from './at-once.ts'
import { readCredential } from './credential.ts'
import { readKeyId } from './key.ts'

export interface FailureLimits {
  /** So many failures at once, and as many in each window. */
  readonly limit: number
  /** Seconds. */
  readonly window: number
}

/** Gives what `ask` says of who makes the request, or refuses it where too many before it failed. */
export type Guard = (exchange: Exchange, ask: () => Awaitable<RequestVerdict>) => Awaitable<RequestVerdict>

const maxCounted = 10_000
const maxKnown = 10_000
const maxKnownOfOne = 100

/** `mono`: ms of a clock that never goes back. */
export function createGuard(limits: FailureLimits, mono: () => number): Guard {
  const byAddress = createTallies(limits, mono)
  const byKey = createTallies(limits, mono)
  const known = createKnown()

  return (exchange, ask) => {
    const { peer, direction } = exchange
    if (peer.ip === undefined || direction === 'to-client') return ask()
    const address = networkOf(peer.ip)
    // Not even looked at, which may cost more than a lookup; who brings nothing is told what to bring.
    if (byAddress.wait(address) > 0 && !known.any(address) && readCredential(peer).kind !== 'none')
      return refuse(byAddress.wait(address), 'from this address')

    const conclude = (verdict: RequestVerdict): RequestVerdict => {
      const wait = byAddress.wait(address)
      if (verdict.kind === 'identify') {
        if (known.has(address, verdict.principal)) return verdict
        // Invariant: a right guess looks like a wrong one. Whoever brings no credential (but a certificate) has not guessed.
        if (wait > 0 && readCredential(peer).kind !== 'none') return refuse(wait, 'from this address')
        known.add(address, verdict.principal)
        return verdict
      }
      if (verdict.kind !== 'deny' || verdict.code !== 'bad-credential') return verdict
      if (wait > 0) return refuse(wait, 'from this address')
      const key = presentedKey(peer)
      const waitForKey = key === undefined ? 0 : byKey.wait(key)
      byAddress.count(address)
      // Invariant: counted by what is presented, whether there is such a key or not. The right key is let in all the same: its 256 bits
      // are not guessed, and its id, which is no secret, must not be enough to lock it out.
      if (key !== undefined) byKey.count(key)
      return waitForKey > 0 ? refuse(waitForKey, `for key ${key}`) : verdict
    }
    return goOn(ask(), conclude)
  }
}

function refuse(retryAfter: number, which: string): Deny {
  return deny('too-many-failures', 'too many failed attempts', { retryAfter, detail: `too many failed attempts ${which}` })
}

function presentedKey(peer: Peer): string | undefined {
  const credential = readCredential(peer)
  return 'value' in credential && credential.value.startsWith('mgk_') ? readKeyId(credential.value) : undefined
}

interface Tallies {
  /** Seconds until the next attempt is looked at; 0: it is. */
  wait(of: string): number
  count(of: string): void
}

/** Bounded: the one that failed longest ago is forgotten. */
function createTallies({ limit, window }: FailureLimits, mono: () => number): Tallies {
  const tallies = new Map<string, { level: number; at: number }>()
  const perMs = limit / (window * 1000)
  const levelOf = (of: string): number => {
    const tally = tallies.get(of)
    return tally === undefined ? 0 : Math.max(0, tally.level - (mono() - tally.at) * perMs)
  }
  return {
    wait(of) {
      const over = levelOf(of) + 1 - limit
      return over > 0 ? Math.ceil(over / perMs / 1000) : 0
    },
    count(of) {
      // No further than the limit: who goes on failing is looked at now and then, not never again.
      const level = Math.min(levelOf(of) + 1, limit)
      tallies.delete(of)
      if (tallies.size >= maxCounted) tallies.delete(tallies.keys().next().value as string)
      tallies.set(of, { level, at: mono() })
    },
  }
}

interface Known {
  any(address: string): boolean
  has(address: string, principal: Principal): boolean
  add(address: string, principal: Principal): void
}

/** Who came from where before: they are let in also while others fail beside them. Bounded: the address that was new longest ago is forgotten. */
function createKnown(): Known {
  const byAddress = new Map<string, Set<string>>()
  return {
    any: address => byAddress.has(address),
    has: (address, principal) => byAddress.get(address)?.has(nameOf(principal)) === true,
    add(address, principal) {
      const known = byAddress.get(address)
      if (known !== undefined) {
        if (known.size >= maxKnownOfOne) known.delete(known.keys().next().value as string)
        known.add(nameOf(principal))
        return
      }
      if (byAddress.size >= maxKnown) byAddress.delete(byAddress.keys().next().value as string)
      byAddress.set(address, new Set([nameOf(principal)]))
    },
  }
}

function nameOf({ id, tenant, via: { method, keyId, issuer } }: Principal): string {
  // An id of a key has no space, so that no other kind of principal is taken for one.
  return method === 'api-key' && keyId !== undefined ? keyId : `${method} ${issuer ?? ''} ${tenant} ${id}`
}
