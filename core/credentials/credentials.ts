// The credentials that the gateway shows to remote servers: one keeper for each, and what operators see of them.
import type { RemoteServer, ServerConfig } from '../config/schema.ts'
import { type ClosableOutgoing, createOutgoing } from '../outgoing/outgoing.ts'
import type { Clock } from '../plugin/index.ts'
import type { KnownSecrets } from '../secrets.ts'
import type { Credential } from '../upstream/remote/credential.ts'
import { createAuthority } from './authority.ts'
import { createReporter, type ReporterOptions } from './reporter.ts'
import { createTokenBook } from './token-book.ts'
import { createTokenKeeper } from './token-keeper.ts'
import { aboutToken, requestToken, type TokenRequester } from './token-request.ts'

export interface Credentials {
  /** What is shown to this server; undefined where its config asks for none. */
  of(server: RemoteServer): Credential | undefined
  close(): Promise<void>
}

export interface CredentialsOptions extends ReporterOptions {
  readonly servers: readonly ServerConfig[]
  readonly secrets: Pick<KnownSecrets, 'hold'>
  readonly clock: Clock
  /** Closed with it. */
  readonly outgoing?: ClosableOutgoing
}

export function createCredentials(options: CredentialsOptions): Credentials {
  const { servers, secrets, clock, outgoing = createOutgoing() } = options
  const keepers = new Map<string, Credential>()
  for (const server of servers) {
    if (server.kind !== 'remote' || server.auth === undefined || !server.enabled) continue
    const client = server.auth.oauth
    const requester: TokenRequester = { client, authority: createAuthority(client, outgoing, clock), outgoing, clock }
    const reporter = createReporter(server.id, 'oauth', options)
    const book = createTokenBook(server.id, secrets, clock)
    keepers.set(
      server.id,
      createTokenKeeper({
        clock,
        fetch: () => requestToken(requester, { grant_type: 'client_credentials', ...aboutToken(client) }),
        obtained(token, isRenewal) {
          book.note(token)
          reporter.obtained(token, isRenewal)
        },
        failed: why => reporter.failed(why),
      }),
    )
  }
  return {
    of: server => keepers.get(server.id),
    close: () => outgoing.close(),
  }
}
