// Tokens of users for a server: shown while they are good, refreshed before their end, and given up where somebody takes them back.
import { timedOut, within } from '../clock.ts'
import type { UserClient } from '../config/schema.ts'
import type { Log } from '../plugin/index.ts'
import { type Credential, CredentialFault, type CredentialSource } from '../upstream/remote/credential.ts'
import { Recent } from './recent.ts'
import type { UserToken } from './sealed.ts'
import type { Token } from './token-answer.ts'
import { createTokenKeeper, NothingToAskWith, TokenFailure } from './token-keeper.ts'
import { aboutToken, requestToken, type TokenRequester } from './token-request.ts'
import { withdraw } from './token-revocation.ts'
import { isSame, type UserTokens } from './user-tokens.ts'

export interface UsersOptions extends TokenRequester {
  readonly server: string
  readonly client: UserClient
  readonly tokens: UserTokens
  readonly log: Log
  /** True while nobody can tell what is kept. */
  isAway(): boolean
  obtained(owner: string, token: Token, isRenewal: boolean): void
  failed(owner: string, why: string, error: unknown): void
  /** What he gave is not kept any more: whatever was opened with it is to end. */
  ended(owner: string): void
  /** Whether the server is there for this owner is not what it was. */
  changed(owner: string): void
}

export interface Users {
  source(owner: string): CredentialSource
  /** A user has authorised the gateway. Rejects where it cannot be kept. */
  take(owner: string, token: Token): Promise<void>
  /** He has authorised another gateway, and the next one who asks finds it there. */
  given(owner: string): void
  /** Some have been taken back: each is looked for again before it is shown. */
  doubt(): void
  /** What is kept can be told again. */
  back(): void
}

const MAX_OWNERS = 10_000
/** One at hand that ends sooner is refreshed first. */
const LAST_MS = 30_000
/** A store that says nothing for so long is not there. */
export const SILENT_MS = 3000
const UNREADABLE = 'what users have given cannot be read now'

export function createUsers(options: UsersOptions): Users {
  const { server, clock, tokens, client, log } = options
  const owners = new Recent<Credential & { doubt(): void }>(MAX_OWNERS)
  const waiting = new Set<string>()

  const toKeep = (token: Token, before?: UserToken): UserToken => ({
    access: token.access,
    goodUntil: clock.now() + token.lifeMs,
    // Spec: RFC 6749, 6: the old one stays where no new one is given; and 5.1: without a scope it is what was asked for.
    refresh: token.refresh ?? before?.refresh,
    since: before === undefined ? clock.now() : before.since,
    scope: token.scope ?? before?.scope ?? client.scopes?.join(' '),
  })

  /** No endpoint is to blame, and the next one who asks may find it there again. */
  async function stored<T>(work: () => Promise<T>): Promise<T> {
    const found = await within(clock, SILENT_MS, work).catch((error: unknown) => {
      log.warn(UNREADABLE, { server, error: String(error) })
      return timedOut
    })
    if (found === timedOut) throw new NothingToAskWith(UNREADABLE)
    return found as T
  }

  function createKeeper(owner: string): Credential & { doubt(): void } {
    let given: string | undefined
    let told: string | undefined
    /** Obtained, and perhaps not kept yet. */
    let owed: { readonly before: UserToken; readonly next: UserToken } | undefined
    const give = (token: Token): Token => {
      given = token.access
      return token
    }
    const find = (): Promise<UserToken | undefined> => stored(() => tokens.find(server, owner))
    /** The one that is kept, unless it is the one that is to be replaced. */
    const atHand = (kept: UserToken | undefined): Token | undefined => {
      const lifeMs = (kept?.goodUntil ?? 0) - clock.now()
      return kept !== undefined && kept.access !== given && lifeMs > LAST_MS ? { access: kept.access, lifeMs } : undefined
    }

    /** Invariant: what replaces a refresh token that may be used once is kept before anybody goes on; what was taken back meanwhile stays so. */
    async function settle(): Promise<void> {
      if (owed === undefined) return
      const { before, next } = owed
      const kept = await stored(async () => ((await tokens.replace(server, owner, before, next)) ? next : tokens.find(server, owner)))
      owed = undefined
      if (kept === undefined) void withdraw(options, next)
    }

    /** Where nobody can tell, it is told that the tokens are away. */
    async function endWhereGone(): Promise<void> {
      const isGone = await find().then(
        kept => kept === undefined,
        () => false,
      )
      if (isGone) options.ended(owner)
    }

    function nothing(why: string): NothingToAskWith {
      if (told !== undefined) options.changed(owner)
      told = undefined
      return new NothingToAskWith(why)
    }

    async function fetch(): Promise<Token> {
      await settle()
      const kept = await find()
      const good = atHand(kept)
      if (good !== undefined) return give(good)
      if (kept?.refresh === undefined) throw nothing('the user has not authorised the gateway')
      let token: Token
      try {
        token = await requestToken(options, { grant_type: 'refresh_token', refresh_token: kept.refresh, ...aboutToken(client) })
      } catch (error) {
        if (!(error instanceof TokenFailure) || error.error !== 'invalid_grant') throw error
        // Another instance may have been first with a token that is good once.
        const other = atHand(await find())
        if (other !== undefined) return give(other)
        await stored(() => tokens.drop(server, owner, kept))
        throw error
      }
      const next = toKeep(token, kept)
      owed = { before: kept, next }
      await settle()
      const now = await find()
      if (isSame(now, next)) return give(token)
      const other = atHand(now)
      if (other !== undefined) return give(other)
      throw nothing('the user’s authorisation was taken back')
    }

    const keeper = createTokenKeeper({
      clock,
      code: 'upstream-credential',
      fetch,
      obtained(token, isRenewal) {
        // One that was only looked for again is no other.
        if (token.access === told) return
        told = token.access
        options.obtained(owner, token, isRenewal)
      },
      failed: (why, error) => options.failed(owner, why, error),
    })
    return {
      ...keeper,
      doubt() {
        given = undefined
        keeper.doubt()
        if (told !== undefined) void endWhereGone()
      },
    }
  }

  /** Invariant: what may have been taken back is shown to nobody. */
  const away = (owner: string): Credential => ({
    now: () => undefined,
    obtain() {
      if (waiting.size < MAX_OWNERS) waiting.add(owner)
      return Promise.reject(new CredentialFault({ code: 'upstream-credential', detail: `no token: ${UNREADABLE}` }))
    },
  })

  return {
    source: owner => ({
      of: () => (options.isAway() ? away(owner) : owners.use(owner, () => createKeeper(owner))),
    }),
    async take(owner, token) {
      await stored(() => tokens.keep(server, owner, toKeep(token)))
      // The next one who asks finds it there, whatever failed before.
      owners.forget(owner)
    },
    given: owner => owners.forget(owner),
    doubt() {
      for (const keeper of owners.values()) keeper.doubt()
    },
    back() {
      for (const owner of waiting) options.changed(owner)
      waiting.clear()
    },
  }
}
