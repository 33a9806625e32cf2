// The credentials that the gateway shows to remote servers: one keeper of tokens for each, and what operators see of them.
import type { OAuthClient, RemoteServer, ServerConfig, UserClient } from '../config/schema.ts'
import { type ClosableOutgoing, createOutgoing } from '../outgoing/outgoing.ts'
import type { AdminEvent, Clock, Exchange, Stores } from '../plugin/index.ts'
import type { KnownSecrets } from '../secrets.ts'
import type { CredentialSource } from '../upstream/remote/credential.ts'
import { createAuthority } from './authority.ts'
import { type Asker, type Authorizations, createAuthorizations } from './authorizations.ts'
import { type Callers, createCallers } from './callers.ts'
import { createExchanges } from './exchanges.ts'
import { createReporter, type ReporterOptions } from './reporter.ts'
import type { Token } from './token-answer.ts'
import { createTokenBook } from './token-book.ts'
import { createTokenKeeper } from './token-keeper.ts'
import { aboutToken, requestToken, type TokenRequester } from './token-request.ts'
import { createUserTokens, type UserTokens } from './user-tokens.ts'
import { createUsers } from './users.ts'

export interface Credentials {
  /** What is shown to this server on a lane of `owner`; undefined where its config asks for nothing. */
  of(server: RemoteServer, owner: string): CredentialSource | undefined
  /** Undefined where no server is shown credentials of callers. */
  readonly callers: Callers | undefined
  /** Undefined where no server is shown what users give. */
  readonly authorizations: Authorizations | undefined
  close(): Promise<void>
}

export interface CredentialsOptions extends ReporterOptions {
  readonly servers: readonly ServerConfig[]
  readonly secrets: Pick<KnownSecrets, 'hold'>
  readonly clock: Clock
  /** Whose lanes a principal's are. */
  ownerOf(principal: Exchange['principal']): string
  /** For what users give; needed where a server is shown it. */
  readonly stores?: Pick<Stores, 'open' | 'key'> | undefined
  /** A user has authorised the gateway for this server. */
  authorized?(server: string, owner: string): void
  /** Closed with it. */
  readonly outgoing?: ClosableOutgoing
}

type SourceOf = (owner: string) => CredentialSource

export function createCredentials(options: CredentialsOptions): Credentials {
  const { servers, secrets, clock, outgoing = createOutgoing() } = options
  const sources = new Map<string, SourceOf>()
  const callers = createCallers(options.ownerOf)
  const askers = new Map<string, Asker>()
  let tokens: UserTokens | undefined
  let needsCallers = false

  const requesterFor = <T extends OAuthClient>(client: T): TokenRequester & { readonly client: T } => ({
    client,
    authority: createAuthority(client, outgoing, clock),
    outgoing,
    clock,
  })

  function forAll({ id }: RemoteServer, client: OAuthClient): SourceOf {
    const requester = requesterFor(client)
    const reporter = createReporter(id, 'oauth', options)
    const book = createTokenBook(id, secrets, clock)
    const keeper = createTokenKeeper({
      clock,
      fetch: () => requestToken(requester, { grant_type: 'client_credentials', ...aboutToken(client) }),
      obtained(token, isRenewal) {
        book.note(token)
        reporter.obtained(token, isRenewal)
      },
      failed: why => reporter.failed(why),
    })
    const source = { of: () => keeper }
    return () => source
  }

  function forEach({ id, auth }: RemoteServer): SourceOf {
    needsCallers = true
    const reporter = createReporter(id, 'exchange', options)
    const book = createTokenBook(id, secrets, clock)
    return createExchanges({
      ...requesterFor(auth!.exchange!),
      present: callers,
      obtained(owner, token, isRenewal) {
        book.note(token)
        reporter.obtained(token, isRenewal, aboutOwner(owner))
      },
      failed: (owner, why, error) => reporter.failed(why, { about: aboutOwner(owner), error }),
    })
  }

  function forUsers({ id }: RemoteServer, client: UserClient): SourceOf {
    if (options.stores === undefined) throw new Error('bug: there is no store for what users give')
    tokens ??= createUserTokens(options.stores)
    const reporter = createReporter(id, 'user', options)
    const book = createTokenBook(id, secrets, clock)
    const failed = (owner: string, why: string, error: unknown): void => reporter.failed(why, { about: aboutOwner(owner), error })
    const obtained = (owner: string, token: Token, isRenewal: boolean): void => {
      book.note(token)
      reporter.obtained(token, isRenewal, aboutOwner(owner))
    }
    const requester = requesterFor(client)
    const users = createUsers({ ...requester, server: id, tokens, obtained, failed })
    askers.set(id, {
      ...requester,
      failed,
      take(owner, token) {
        book.note(token)
        users.take(owner, token)
        reporter.authorized(aboutOwner(owner))
        options.authorized?.(id, owner)
      },
    })
    return owner => users.source(owner)
  }

  for (const server of servers) {
    if (server.kind !== 'remote' || server.auth === undefined || !server.enabled) continue
    const { oauth, user } = server.auth
    sources.set(server.id, oauth !== undefined ? forAll(server, oauth) : user !== undefined ? forUsers(server, user) : forEach(server))
  }
  return {
    of: (server, owner) => sources.get(server.id)?.(owner),
    callers: needsCallers ? callers : undefined,
    authorizations: askers.size > 0 ? createAuthorizations(askers, clock) : undefined,
    async close() {
      await outgoing.close()
      tokens?.close()
    },
  }
}

/** Invariant: an owner is a tenant and the id of a principal of it. */
function aboutOwner(owner: string): NonNullable<AdminEvent['about']> {
  const [tenant = '', ...rest] = owner.split('\0')
  const id = rest.join('\0')
  return { tenant, id, detail: { principal: id, tenant } }
}
