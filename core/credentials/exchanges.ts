// Tokens of callers exchanged for tokens that a server takes: one for each caller and what he may do. Spec: RFC 8693.
import type { ExchangeClient } from '../config/schema.ts'
import { NOTHING_SHOWN } from '../upstream/behalf.ts'
import { type Credential, CredentialFault, type CredentialSource } from '../upstream/remote/credential.ts'
import type { Present } from './callers.ts'
import { Recent } from './recent.ts'
import type { Token } from './token-answer.ts'
import { createTokenKeeper, TokenFailure } from './token-keeper.ts'
import { aboutToken, requestToken, type TokenRequester } from './token-request.ts'

export interface ExchangesOptions extends TokenRequester {
  readonly client: ExchangeClient
  readonly present: Present
  obtained(owner: string, token: Token, isRenewal: boolean): void
  failed(owner: string, why: string, error: unknown): void
}

/** Of one owner: tokens that say different things. */
const MAX_RIGHTS = 16
const MAX_OWNERS = 10_000
const TYPE = 'urn:ietf:params:oauth:token-type:'

export function createExchanges(options: ExchangesOptions): (owner: string) => CredentialSource {
  const owners = new Recent<Recent<Credential>>(MAX_OWNERS)

  return owner => ({
    of(behalf) {
      // Invariant: what was had for one token is shown for no request that came with none, whoever made it.
      if (behalf !== undefined && behalf.rights === NOTHING_SHOWN.rights) return NOBODY
      const keepers = owners.use(owner, () => new Recent(MAX_RIGHTS))
      const rights = behalf?.rights ?? options.present.find(owner)?.rights ?? keepers.newest
      return rights === undefined ? NOBODY : keepers.use(rights, () => createKeeper(owner, rights, options))
    },
  })
}

function createKeeper(owner: string, rights: string, options: ExchangesOptions): Credential {
  const { clock, present } = options
  const shown = (): string | undefined => present.find(owner, rights)?.token()
  return createTokenKeeper({
    clock,
    code: 'upstream-credential',
    isReady: () => shown() !== undefined,
    fetch: () => exchange(options, shown()!),
    obtained: (token, isRenewal) => options.obtained(owner, token, isRenewal),
    failed: (why, error) => options.failed(owner, why, error),
  })
}

/** Invariant: the caller's token goes to the token endpoint, and to nobody else. */
async function exchange(requester: ExchangesOptions, subject: string): Promise<Token> {
  const { client } = requester
  const token = await requestToken(requester, {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: subject,
    subject_token_type: `${TYPE}${client.subjectType ?? 'access_token'}`,
    requested_token_type: `${TYPE}access_token`,
    ...aboutToken(client),
  })
  if (token.access === subject) throw new TokenFailure('the token endpoint gives back the token of the caller')
  return token
}

const NOBODY: Credential = {
  now: () => undefined,
  obtain: () =>
    Promise.reject(new CredentialFault({ code: 'upstream-credential', detail: 'the caller showed no token that can be exchanged' })),
}
