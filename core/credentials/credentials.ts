// The credentials that the gateway shows to remote servers: one keeper of tokens for each, and what operators see of them.
import {
  type AddressedServer,
  authOf,
  type GatewayClient,
  type OAuthClient,
  type ServerAuth,
  type ServerConfig,
  type UserClient,
} from '../config/schema.ts'
import { type Lookout, startLookout } from '../lookout.ts'
import { createOutgoing } from '../outgoing/outgoing.ts'
import { ownerOf } from '../owner.ts'
import type { Clock, Outgoing } from '../plugin/index.ts'
import type { KnownSecrets } from '../secrets.ts'
import type { CredentialSource, RequestSigner } from '../upstream/remote/credential.ts'
import { createAuthority } from './authority.ts'
import { type Asker, type Authorizations, createAuthorizations } from './authorizations.ts'
import { type Callers, createCallers } from './callers.ts'
import { createExchanges } from './exchanges.ts'
import { createInvited, type Invited } from './invited.ts'
import { aboutOwner, createReporter, type ReporterOptions } from './reporter.ts'
import { createSigners } from './signers.ts'
import type { Token } from './token-answer.ts'
import { createTokenBook } from './token-book.ts'
import { createTokenKeeper } from './token-keeper.ts'
import { aboutToken, requestToken, type TokenRequester } from './token-request.ts'
import { type TokenWatch, watchTokens } from './token-watch.ts'
import { createUserTokens, type TokenStores, type UserTokens } from './user-tokens.ts'
import { createUsers, SILENT_MS, type Users } from './users.ts'

export interface Credentials {
  /** What is shown to this server on a lane of `owner`; undefined where its config asks for nothing. */
  of(server: AddressedServer, owner: string): CredentialSource | RequestSigner | undefined
  /** Undefined where no server is shown credentials of callers, nor told of them. */
  readonly callers: Callers | undefined
  /** Undefined where no server is shown what users give. */
  readonly authorizations: Authorizations | undefined
  add(server: ServerConfig): void
  remove(server: ServerConfig): void
  close(): Promise<void>
}

export interface CredentialsOptions extends ReporterOptions {
  readonly servers: readonly ServerConfig[]
  readonly secrets: Pick<KnownSecrets, 'hold'>
  readonly clock: Clock
  /** For what users give; needed where a server is shown it. */
  readonly stores?: TokenStores | undefined
  /** Whether this server is there for this owner is not what it was: he has authorised the gateway, say. */
  changed?(server: string, owner: string): void
  /** This owner has taken back what he gave for the server: what is open there in his name is to end. */
  ended?(server: string, owner: string): void
  /** Whoever gives it closes it; one of its own where there is none. */
  readonly outgoing?: Outgoing | undefined
}

/** From one look for shared visits that have ended to the next. */
const CLEAR_MS = 60_000

type SourceOf = (owner: string, url: string) => CredentialSource | RequestSigner

export function createCredentials(options: CredentialsOptions): Credentials {
  const { servers, secrets, clock } = options
  const own = options.outgoing === undefined ? createOutgoing() : undefined
  const outgoing = options.outgoing ?? own!
  /** Of a server as it was, as long as anything of it is under way. */
  const sources = new WeakMap<ServerAuth, SourceOf>()
  /** Of servers that are there. One that is restarted comes again with the same. */
  const inUse = new Set<ServerAuth>()
  const callers = createCallers(ownerOf, () => telling.size > 0)
  const askers = new Map<string, Asker>()
  let tokens: UserTokens | undefined
  let watching: TokenWatch | undefined
  let clearing: Lookout | undefined
  const allUsers = new Map<string, Users>()
  const isAway = (): boolean => watching?.isAway === true
  const exchanging = new Set<string>()
  /** Other gateways. */
  const telling = new Set<string>()
  let authorizations: Authorizations | undefined
  let invited: Invited | undefined

  const requesterFor = <T extends OAuthClient>(client: T): TokenRequester & { readonly client: T } => ({
    client,
    authority: createAuthority(client, outgoing, clock),
    outgoing,
    clock,
  })

  /** What becomes of tokens: known as secrets from the first moment on, and told; with whose they are, where they are of one owner. */
  function watch(id: string, mode: string) {
    const reporter = createReporter(id, mode, options)
    const book = createTokenBook(id, secrets, clock)
    return {
      book,
      reporter,
      obtained(owner: string, token: Token, isRenewal: boolean): void {
        book.note(token)
        reporter.obtained(token, isRenewal, aboutOwner(owner))
      },
      failed: (owner: string, why: string, error: unknown): void => reporter.failed(why, { about: aboutOwner(owner), error }),
    }
  }

  function forAll({ id }: AddressedServer, client: OAuthClient): SourceOf {
    const requester = requesterFor(client)
    const { book, reporter } = watch(id, 'oauth')
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

  function forEach({ id, auth }: AddressedServer): SourceOf {
    exchanging.add(id)
    const { obtained, failed } = watch(id, 'exchange')
    return createExchanges({ ...requesterFor(auth!.exchange!), present: callers, obtained, failed })
  }

  function forUsers({ id, url }: AddressedServer, client: UserClient): SourceOf {
    if (options.stores === undefined) throw new Error('bug: there is no store for what users give')
    tokens ??= openTokens(options.stores)
    const { book, reporter, obtained, failed } = watch(id, 'user')
    const requester = requesterFor(client)
    const changed = (owner: string): void => options.changed?.(id, owner)
    const ended = (owner: string): void => options.ended?.(id, owner)
    const users = createUsers({ ...requester, server: id, tokens, log: options.log, isAway, obtained, failed, ended, changed })
    allUsers.set(id, users)
    askers.set(id, {
      ...requester,
      url,
      isAway,
      failed,
      async take(owner, token) {
        book.note(token)
        invited?.forget(id, owner)
        await users.take(owner, token)
        reporter.authorized(aboutOwner(owner))
        changed(owner)
      },
    })
    return owner => users.source(owner)
  }

  function forGateway({ id }: AddressedServer, client: GatewayClient): SourceOf {
    telling.add(id)
    const sign = createSigners({ client, clock, reporter: createReporter(id, 'gateway', options) })
    return (owner, url) => sign(url, owner)
  }

  function openTokens(stores: TokenStores): UserTokens {
    const opened = createUserTokens(stores)
    const waiting = createInvited(clock, opened, (server, owner) => {
      allUsers.get(server)?.given(owner)
      options.changed?.(server, owner)
    })
    invited = waiting
    authorizations = createAuthorizations({ askers, clock, log: options.log, shared: () => opened.visits(), invited: waiting.note })
    clearing = startLookout({ clock, everyMs: CLEAR_MS, silentMs: SILENT_MS, ask: () => opened.clearVisits(), there() {}, gone() {} })
    watching = watchTokens({
      ...options,
      tokens: opened,
      doubt() {
        for (const users of allUsers.values()) users.doubt()
      },
      given: () => waiting.look(),
      back() {
        for (const users of allUsers.values()) users.back()
      },
    })
    return opened
  }

  function sourceFor(server: AddressedServer, { oauth, user, gateway }: ServerAuth): SourceOf {
    if (gateway !== undefined) return forGateway(server, gateway)
    return oauth !== undefined ? forAll(server, oauth) : user !== undefined ? forUsers(server, user) : forEach(server)
  }

  function add(server: ServerConfig): void {
    const auth = authOf(server)
    // Versions of one server share it.
    if (auth === undefined || !server.enabled || !('url' in server) || inUse.has(auth)) return
    inUse.add(auth)
    sources.set(auth, sourceFor(server, auth))
  }
  for (const server of servers) add(server)

  return {
    of: ({ auth, url }, owner) => auth && sources.get(auth)?.(owner, url),
    get callers() {
      return exchanging.size + telling.size > 0 ? callers : undefined
    },
    get authorizations() {
      return askers.size > 0 ? authorizations : undefined
    },
    add,
    remove(server) {
      const { id } = server
      const auth = authOf(server)
      if (auth !== undefined) inUse.delete(auth)
      exchanging.delete(id)
      telling.delete(id)
      askers.delete(id)
      allUsers.delete(id)
    },
    async close() {
      watching?.stop()
      clearing?.stop()
      await own?.close()
      await tokens?.close()
    },
  }
}
