// Knows every token value of a server that is good, so that none leaves the gateway by any way out.
import type { Clock } from '../plugin/index.ts'
import type { KnownSecrets } from '../secrets.ts'
import type { Token } from './token-answer.ts'

/** Longer than any clock is wrong: a token is looked for a little after its end. */
const AFTER_MS = 60_000

export interface TokenBook {
  /** One that was replaced, or whose owner is forgotten, is good until its end all the same. */
  note(token: Token): void
}

export function createTokenBook(server: string, secrets: Pick<KnownSecrets, 'hold'>, clock: Clock): TokenBook {
  let held: { readonly until: number; release(): void }[] = []
  return {
    note({ access, refresh, lifeMs }) {
      const now = clock.mono()
      for (const one of held) if (one.until < now) one.release()
      held = held.filter(one => one.until >= now)
      for (const value of [access, refresh])
        if (value !== undefined) held.push({ until: now + lifeMs + AFTER_MS, release: secrets.hold(server, value) })
    },
  }
}
