// Keeps one token: fetched once for all who wait, renewed before it ends, and not asked for again at once where that failed.
import type { Clock } from '../plugin/index.ts'
import { type Credential, CredentialFault } from '../upstream/remote/credential.ts'
import type { TransportFault } from '../upstream/transport.ts'
import type { Token } from './token-answer.ts'

export interface KeeperOptions {
  readonly clock: Clock
  readonly random?: () => number
  /** Where there is none; `upstream-unavailable` where it is left out. */
  readonly code?: TransportFault['code']
  /** False while there is nothing to ask with: that is no failure of the endpoint. */
  isReady?(): boolean
  /** Rejects with a TokenFailure, or with an Error whose message holds no secret. */
  fetch(): Promise<Token>
  /** Before anybody gets it. */
  obtained(token: Token, isRenewal: boolean): void
  /** What the fetch was rejected with. */
  failed(why: string, error: unknown): void
}

/** Why there is no token. `error`: the code of RFC 6749, where the endpoint gives one; `retryAfterMs`: what it asks for. */
export class TokenFailure extends Error {
  readonly error: string | undefined
  readonly retryAfterMs: number | undefined

  constructor(
    why: string,
    { error, retryAfterMs }: { readonly error?: string | undefined; readonly retryAfterMs?: number | undefined } = {},
  ) {
    super(why)
    this.error = error
    this.retryAfterMs = retryAfterMs
  }
}

/** There is no token, and nobody failed: it takes a person, or a caller, to get one. */
export class NothingToAskWith extends Error {}

/** Renewed so long before its end, or earlier in a short life. */
const MARGIN_MS = 60_000
/** A token that ends on its way is none. */
const LAST_MS = 5000
const BACKOFF_MS = 1000
const LONGEST_BACKOFF_MS = 60_000
const LONGEST_WISH_MS = 300_000
/** A server that refuses every token must not have us fetch one for each request. */
const FORCED_EVERY_MS = 10_000

export function createTokenKeeper(options: KeeperOptions): Credential & {
  /** The one at hand may not be good any more: it is fetched again. */
  doubt(): void
} {
  const { clock, fetch, obtained, failed, random = Math.random, code = 'upstream-unavailable', isReady = () => true } = options
  let current: { readonly token: Token; readonly renewAt: number; readonly goodUntil: number } | undefined
  let flight: Promise<Token> | undefined
  let failures = 0
  let notBefore = 0
  let lastWhy = ''
  let forcedAt = Number.NEGATIVE_INFINITY
  let hadOne = false
  let doubts = 0

  async function run(): Promise<Token> {
    // Its life begins when it is made, which is before we hear of it.
    const asked = clock.mono()
    const doubted = doubts
    try {
      const token = await fetch()
      const { lifeMs } = token
      const last = Math.min(LAST_MS, lifeMs / 10)
      const renewAt = asked + lifeMs - Math.min(MARGIN_MS, lifeMs / 4)
      if (doubted === doubts) current = { token, renewAt, goodUntil: asked + lifeMs - last }
      failures = 0
      obtained(token, hadOne)
      hadOne = true
      return token
    } catch (error) {
      if (error instanceof NothingToAskWith) throw new CredentialFault({ code, detail: `no token: ${error.message}` })
      lastWhy = error instanceof Error ? error.message : String(error)
      const bound = Math.min(LONGEST_BACKOFF_MS, BACKOFF_MS * 2 ** Math.min(failures++, 30))
      const wish = Math.min((error as Partial<TokenFailure>).retryAfterMs ?? 0, LONGEST_WISH_MS)
      notBefore = clock.mono() + Math.max(wish, (bound / 2) * (1 + random()))
      failed(lastWhy, error)
      throw new CredentialFault(faultOf())
    }
  }

  function faultOf(): TransportFault {
    return { code, detail: `no token: ${lastWhy}`, retryAfterMs: Math.max(0, Math.ceil(notBefore - clock.mono())) }
  }

  /** One at a time. */
  function fetchOnce(): Promise<Token> {
    if (flight !== undefined) return flight
    if (!isReady()) return Promise.reject(new CredentialFault({ code, detail: 'no token: nobody shows one to ask with' }))
    if (clock.mono() < notBefore) return Promise.reject(new CredentialFault(faultOf()))
    flight = run().finally(() => {
      flight = undefined
    })
    return flight
  }

  function now(): string | undefined {
    const at = clock.mono()
    if (current === undefined || at >= current.goodUntil) return undefined
    // Nobody waits for it: the one at hand is still good. Whoever needs the next one learns why there is none.
    if (at >= current.renewAt && flight === undefined && at >= notBefore && isReady()) fetchOnce().catch(() => {})
    return current.token.access
  }

  return {
    now,
    doubt() {
      doubts++
      current = undefined
    },
    async obtain(refused) {
      if (refused === undefined || refused !== current?.token.access) return now() ?? (await fetchOnce()).access
      if (clock.mono() - forcedAt < FORCED_EVERY_MS) return undefined
      forcedAt = clock.mono()
      current = undefined
      const { access } = await fetchOnce()
      return access === refused ? undefined : access
    },
  }
}
