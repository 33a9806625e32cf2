// Failed attempts are counted for each address and each key that they name: whoever fails too often is held back, and what cannot be guessed is let in.
import { type Awaitable, type Deny, deny, type Exchange, networkOf, type Peer, type RequestVerdict } from 'mcpgw/plugin'
import { goOn } from './at-once.ts'
import { readCredential } from './credential.ts'
import { isProven } from './gateway-token.ts'
import { isMinted, readKeyId } from './key.ts'

export interface FailureLimits {
  /** So many failures at once, and as many in each window. */
  readonly limit: number
  /** Seconds. */
  readonly window: number
}

/**
 * Gives what `ask` says of who makes the request, or refuses it where too many before it failed. `isCostly`: whether more than a lookup is
 * needed to tell.
 */
export type Guard = (exchange: Exchange, ask: () => Awaitable<RequestVerdict>, isCostly: () => boolean) => Awaitable<RequestVerdict>

const maxCounted = 10_000
const maxKnown = 10_000
const maxKnownOfOne = 100
/** Of an address that failed too often, so much of its limit may still be spent on what is costly: another may sign in from there too. */
const costlyShare = 0.1

/** `mono`: ms of a clock that never goes back. */
export function createGuard(limits: FailureLimits, mono: () => number): Guard {
  const byAddress = createTallies(limits, mono)
  const byKey = createTallies(limits, mono)
  const costly = createTallies({ ...limits, limit: Math.max(1, Math.floor(limits.limit * costlyShare)) }, mono)
  const known = createKnown()

  return (exchange, ask, isCostly) => {
    const { peer, direction } = exchange
    if (peer.ip === undefined || direction === 'to-client') return ask()
    const address = networkOf(peer.ip)
    if (byAddress.wait(address) > 0 && isCostly()) {
      const wait = costly.wait(address)
      if (wait > 0) return refuse(wait, 'from this address')
      costly.count(address)
    }

    const conclude = (verdict: RequestVerdict): RequestVerdict => {
      const wait = byAddress.wait(address)
      if (verdict.kind === 'identify') {
        const { method, keyId } = verdict.principal.via
        // Invariant: 256 random bits and signatures are not guessed, so that nobody is locked out by what fails beside him.
        if (method !== 'api-key' || keyId === undefined || isMinted(presented(peer))) return verdict
        if (known.has(address, keyId)) return verdict
        // Invariant: a key that somebody has thought up may be guessed; a right guess looks like a wrong one.
        if (wait > 0) return refuse(wait, 'from this address')
        known.add(address, keyId)
        return verdict
      }
      if (verdict.kind !== 'deny' || !isFailure(verdict)) return verdict
      if (wait > 0) return refuse(wait, 'from this address')
      const key = presentedKey(peer)
      const waitForKey = key === undefined ? 0 : byKey.wait(key)
      byAddress.count(address)
      // Invariant: counted by what is presented, whether there is such a key or not: the answer does not tell which ids there are.
      if (key !== undefined) byKey.count(key)
      return waitForKey > 0 ? refuse(waitForKey, `for key ${key}`) : verdict
    }
    return goOn(ask(), conclude)
  }
}

/** What another gateway has signed is not guessed: one caller of it who is refused holds back nobody else who comes from its address. */
function isFailure(verdict: Deny): boolean {
  return verdict.code === 'bad-credential' || (verdict.code === 'bad-signature' && !isProven(verdict))
}

function refuse(retryAfter: number, which: string): Deny {
  return deny('too-many-failures', 'too many failed attempts', { retryAfter, detail: `too many failed attempts ${which}` })
}

function presented(peer: Peer): string {
  const credential = readCredential(peer)
  return 'value' in credential ? credential.value : ''
}

function presentedKey(peer: Peer): string | undefined {
  const value = presented(peer)
  return value.startsWith('mgk_') ? readKeyId(value) : undefined
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
  has(address: string, key: string): boolean
  add(address: string, key: string): void
}

/** Which key came from where before: it is let in also while others fail beside it. Bounded: the address that was new longest ago is forgotten. */
function createKnown(): Known {
  const byAddress = new Map<string, Set<string>>()
  return {
    has: (address, key) => byAddress.get(address)?.has(key) === true,
    add(address, key) {
      const known = byAddress.get(address)
      if (known !== undefined) {
        if (known.size >= maxKnownOfOne) known.delete(known.keys().next().value as string)
        known.add(key)
        return
      }
      if (byAddress.size >= maxKnown) byAddress.delete(byAddress.keys().next().value as string)
      byAddress.set(address, new Set([key]))
    },
  }
}
