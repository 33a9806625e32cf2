// Takes back what users have given: out of the store first, then at the issuer, and each on record.

import { systemClock } from '../clock.ts'
import type { Loaded } from '../config/load.ts'
import { authOf } from '../config/schema.ts'
import { createAuthority } from '../credentials/authority.ts'
import { aboutOwner } from '../credentials/reporter.ts'
import type { Entry, UserToken } from '../credentials/sealed.ts'
import type { TokenRequester } from '../credentials/token-request.ts'
import { type Withdrawal, withdraw } from '../credentials/token-revocation.ts'
import type { UserTokens } from '../credentials/user-tokens.ts'
import { createOutgoing } from '../outgoing/outgoing.ts'
import type { Log, Outgoing, Stores } from '../plugin/index.ts'
import { createVerbRecord } from './record.ts'
import type { VerbIo } from './verb.ts'

export interface Shelved {
  readonly loaded: Loaded
  readonly stores: Stores
  readonly log: Log
  /** Undefined where nobody has ever given one. */
  readonly tokens: UserTokens | undefined
}

export interface TakenBack {
  readonly server: string
  readonly tenant: string
  readonly principal: string
  /** What came of telling the issuer. */
  readonly atIssuer: Withdrawal['kind']
  readonly why?: string
}

export async function takeBack(io: VerbIo, { loaded, stores, log, tokens }: Shelved, found: readonly Entry[]): Promise<TakenBack[]> {
  if (tokens === undefined || found.length === 0) return []
  // Invariant: no gateway uses any of them by the time that an issuer, who may be slow, is asked.
  const dropped: Entry[] = []
  for (const { server, owner } of found) {
    const token = await dropNewest(tokens, server, owner)
    if (token !== undefined) dropped.push({ server, owner, token })
  }
  const record = createVerbRecord(loaded, { stores, log, cwd: io.cwd, version: io.version })
  const outgoing = createOutgoing()
  const requesters = requestersOf(loaded, outgoing)
  const done: TakenBack[] = []
  try {
    for (const { server, owner, token } of dropped) {
      const requester = requesters.get(server)
      const withdrawal: Withdrawal =
        requester === undefined
          ? { kind: 'failed', why: 'the config names no such server of users any more' }
          : await withdraw(requester, token)
      const about = aboutOwner(owner)
      const came = { atIssuer: withdrawal.kind, ...(withdrawal.kind === 'failed' && { why: withdrawal.why }) }
      await record.event({ type: 'credential.revoked', detail: { server, mode: 'user', ...came }, about })
      done.push({ server, tenant: about.tenant, principal: about.id, ...came })
    }
  } finally {
    await record.close()
    await outgoing.close()
  }
  return done
}

/** A gateway may renew it meanwhile: the newest goes. */
async function dropNewest(tokens: UserTokens, server: string, owner: string): Promise<UserToken | undefined> {
  for (;;) {
    const token = await tokens.find(server, owner)
    if (token === undefined || (await tokens.drop(server, owner, token))) return token
  }
}

function requestersOf({ config }: Shelved['loaded'], outgoing: Outgoing): ReadonlyMap<string, TokenRequester> {
  const clock = systemClock
  return new Map(
    config.servers.flatMap(server => {
      const client = authOf(server)?.user
      return client === undefined ? [] : [[server.id, { client, clock, outgoing, authority: createAuthority(client, outgoing, clock) }]]
    }),
  )
}
