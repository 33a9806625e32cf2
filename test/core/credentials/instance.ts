// One instance of the gateway, as far as tokens of users go.
import type { UserClient } from '../../../core/config/schema.ts'
import { createAuthority } from '../../../core/credentials/authority.ts'
import { watchTokens } from '../../../core/credentials/token-watch.ts'
import { createUserTokens, type UserTokens } from '../../../core/credentials/user-tokens.ts'
import { createUsers, type Users } from '../../../core/credentials/users.ts'
import { createHealth, type Health } from '../../../core/health.ts'
import { createOutgoing } from '../../../core/outgoing/outgoing.ts'
import type { Clock, Log } from '../../../core/plugin/index.ts'
import { createStores } from '../../../core/store/index.ts'
import type { Credential } from '../../../core/upstream/remote/credential.ts'
import type { closeAfterEach } from '../data-plane/opened.ts'
import { GATEWAY, type UserAuthority } from './user-setting.ts'

export interface Instance {
  readonly users: Users
  readonly tokens: UserTokens
  readonly health: Health
  readonly failed: string[]
  /** Owners for whom the server is there, or is not any more. */
  readonly changed: string[]
  /** Owners whose tokens were taken back after they had been shown. */
  readonly ended: string[]
  of(owner: string): Credential
}

export interface InstanceOptions {
  readonly dir: string
  readonly clock: Clock
  readonly log: Log
  /** Of a database. */
  readonly url?: string
  /** Looks whether tokens are there still. */
  readonly watches?: boolean
}

export function openInstance(
  opened: ReturnType<typeof closeAfterEach>,
  { authority }: UserAuthority,
  { dir, clock, log, url, watches = false }: InstanceOptions,
): Instance {
  const client: UserClient = {
    issuer: authority.url,
    clientId: 'mcpgw',
    clientSecret: 'client secret+/=%',
    gateway: GATEWAY,
    scopes: ['crm.read'],
  }
  const outgoing = opened(createOutgoing())
  const tokens = opened(createUserTokens(createStores({ dataDir: dir, log, url })))
  const health = createHealth({ clock })
  const failed: string[] = []
  const changed: string[] = []
  const ended: string[] = []
  let isAway = (): boolean => false
  const users = createUsers({
    client,
    authority: createAuthority(client, outgoing, clock),
    outgoing,
    clock,
    log,
    server: 'crm',
    tokens,
    isAway: () => isAway(),
    obtained() {},
    failed: (_owner, why) => void failed.push(why),
    ended: owner => void ended.push(owner),
    changed: owner => void changed.push(owner),
  })
  if (watches) {
    const watch = watchTokens({ tokens, clock, log, health, doubt: () => users.doubt(), given: async () => {}, back: () => users.back() })
    isAway = () => watch.isAway
    opened({ close: async () => watch.stop() })
  }
  return { users, tokens, health, failed, changed, ended, of: owner => users.source(owner).of(undefined) }
}
