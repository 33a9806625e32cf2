// Tokens of users for a server: shown while they are good, refreshed before their end, and given up where the server of tokens takes them back.
import type { UserClient } from '../config/schema.ts'
import type { Credential, CredentialSource } from '../upstream/remote/credential.ts'
import { Recent } from './recent.ts'
import type { Token } from './token-answer.ts'
import { createTokenKeeper, NothingToAskWith, TokenFailure } from './token-keeper.ts'
import { aboutToken, requestToken, type TokenRequester } from './token-request.ts'
import type { UserToken, UserTokens } from './user-tokens.ts'

export interface UsersOptions extends TokenRequester {
  readonly server: string
  readonly client: UserClient
  readonly tokens: UserTokens
  obtained(owner: string, token: Token, isRenewal: boolean): void
  failed(owner: string, why: string, error: unknown): void
}

export interface Users {
  source(owner: string): CredentialSource
  /** A user has authorised the gateway. */
  take(owner: string, token: Token): void
}

const MAX_OWNERS = 10_000
/** One at hand that ends sooner is refreshed first. */
const LAST_MS = 30_000

export function createUsers(options: UsersOptions): Users {
  const { server, clock, tokens } = options
  const owners = new Recent<Credential>(MAX_OWNERS)

  function keepToken(owner: string, token: Token, before?: UserToken): void {
    tokens.keep(server, owner, {
      access: token.access,
      goodUntil: clock.now() + token.lifeMs,
      // Spec: RFC 6749, 6: the old one stays where no new one is given.
      refresh: token.refresh ?? before?.refresh,
    })
  }

  function createKeeper(owner: string): Credential {
    let given: string | undefined
    const give = (token: Token): Token => {
      given = token.access
      return token
    }
    /** The one that is kept, unless it is the one that is to be replaced. */
    const atHand = (kept: UserToken | undefined): Token | undefined => {
      const lifeMs = (kept?.goodUntil ?? 0) - clock.now()
      return kept !== undefined && kept.access !== given && lifeMs > LAST_MS ? { access: kept.access, lifeMs } : undefined
    }

    async function fetch(): Promise<Token> {
      const kept = tokens.find(server, owner)
      const good = atHand(kept)
      if (good !== undefined) return give(good)
      if (kept?.refresh === undefined) throw new NothingToAskWith('the user has not authorised the gateway')
      try {
        const about = aboutToken(options.client)
        const token = await requestToken(options, { grant_type: 'refresh_token', refresh_token: kept.refresh, ...about })
        // Invariant: what replaces a refresh token that may be used once is on disk before anybody goes on.
        keepToken(owner, token, kept)
        return give(token)
      } catch (error) {
        if (!(error instanceof TokenFailure) || error.error !== 'invalid_grant') throw error
        // Another instance may have been first with a token that is good once.
        const other = atHand(tokens.find(server, owner))
        if (other !== undefined) return give(other)
        tokens.drop(server, owner, kept)
        throw error
      }
    }

    return createTokenKeeper({
      clock,
      code: 'upstream-credential',
      fetch,
      obtained: (token, isRenewal) => options.obtained(owner, token, isRenewal),
      failed: (why, error) => options.failed(owner, why, error),
    })
  }

  return {
    source: owner => ({
      of: () => owners.use(owner, () => createKeeper(owner)),
    }),
    take(owner, token) {
      keepToken(owner, token)
      // The next one who asks finds it there, whatever failed before.
      owners.forget(owner)
    },
  }
}
