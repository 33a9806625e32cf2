// The credentials that the gateway shows to remote servers: one keeper of tokens for each, and what operators see of them.
import type { OAuthClient, RemoteServer, ServerConfig } from '../config/schema.ts'
import { type ClosableOutgoing, createOutgoing } from '../outgoing/outgoing.ts'
import type { AdminEvent, Clock, Exchange } from '../plugin/index.ts'
import type { KnownSecrets } from '../secrets.ts'
import type { CredentialSource } from '../upstream/remote/credential.ts'
import { createAuthority } from './authority.ts'
import { type Callers, createCallers } from './callers.ts'
import { createExchanges } from './exchanges.ts'
import { createReporter, type ReporterOptions } from './reporter.ts'
import { createTokenBook } from './token-book.ts'
import { createTokenKeeper } from './token-keeper.ts'
import { aboutToken, requestToken, type TokenRequester } from './token-request.ts'

export interface Credentials {
  /** What is shown to this server on a lane of `owner`; undefined where its config asks for nothing. */
  of(server: RemoteServer, owner: string): CredentialSource | undefined
  /** Undefined where no server is shown credentials of callers. */
  readonly callers: Callers | undefined
  close(): Promise<void>
}

export interface CredentialsOptions extends ReporterOptions {
  readonly servers: readonly ServerConfig[]
  readonly secrets: Pick<KnownSecrets, 'hold'>
  readonly clock: Clock
  /** Whose lanes a principal's are. */
  ownerOf(principal: Exchange['principal']): string
  /** Closed with it. */
  readonly outgoing?: ClosableOutgoing
}

type SourceOf = (owner: string) => CredentialSource

export function createCredentials(options: CredentialsOptions): Credentials {
  const { servers, secrets, clock, outgoing = createOutgoing() } = options
  const sources = new Map<string, SourceOf>()
  const callers = createCallers(options.ownerOf)
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

  for (const server of servers) {
    if (server.kind !== 'remote' || server.auth === undefined || !server.enabled) continue
    const { oauth } = server.auth
    sources.set(server.id, oauth === undefined ? forEach(server) : forAll(server, oauth))
  }
  return {
    of: (server, owner) => sources.get(server.id)?.(owner),
    callers: needsCallers ? callers : undefined,
    close: () => outgoing.close(),
  }
}

/** Invariant: an owner is a tenant and the id of a principal of it. */
function aboutOwner(owner: string): NonNullable<AdminEvent['about']> {
  const [tenant = '', ...rest] = owner.split('\0')
  const id = rest.join('\0')
  return { tenant, id, detail: { principal: id, tenant } }
}
