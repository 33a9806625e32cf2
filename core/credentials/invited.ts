// Whom this gateway has sent to an authorization server: he may come back to another gateway of the same database, and those who wait for him are here.
import type { Clock } from '../plugin/index.ts'
import type { UserTokens } from './user-tokens.ts'

export interface Invited {
  note(server: string, owner: string): void
  /** He has come back to this gateway, which needs no telling. */
  forget(server: string, owner: string): void
  /** Some users have given tokens, here or elsewhere. Rejects where nobody can tell who. */
  look(): Promise<void>
}

interface One {
  readonly server: string
  readonly owner: string
  readonly until: number
}

/** Longer than a visit, which ends by a token that is fetched and kept. */
const KEPT_MS = 900_000
const MAX = 10_000

/** `given`: he has given a token, wherever it was. */
export function createInvited(clock: Clock, tokens: Pick<UserTokens, 'which'>, given: (server: string, owner: string) => void): Invited {
  const all = new Map<string, One>()
  const keyOf = (server: string, owner: string): string => `${server}\0${owner}`

  return {
    note(server, owner) {
      const key = keyOf(server, owner)
      // Asked again he is the newest.
      all.delete(key)
      for (const [old, { until }] of all) if (until < clock.mono() || all.size >= MAX) all.delete(old)
      all.set(key, { server, owner, until: clock.mono() + KEPT_MS })
    },
    forget: (server, owner) => void all.delete(keyOf(server, owner)),
    async look() {
      for (const { server, owner } of await tokens.which([...all.values()])) if (all.delete(keyOf(server, owner))) given(server, owner)
    },
  }
}
