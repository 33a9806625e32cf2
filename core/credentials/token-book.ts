// Knows every token value that is good, so that none leaves the gateway by any way out.
import type { Clock } from '../plugin/index.ts'
import type { KnownSecrets } from '../secrets.ts'
import type { Token } from './token-answer.ts'

/** Longer than any clock is wrong: a token is looked for a little after its end. */
const AFTER_MS = 60_000

export interface TokenBook {
  note(token: Token): void
}

/** Of one server and caller. A token that was replaced is good until its end all the same. */
export function createTokenBook(server: string, secrets: Pick<KnownSecrets, 'hold'>, clock: Clock): TokenBook {
  let held: { readonly until: number; release(): void }[] = []
  let refresh: { readonly value: string; release(): void } | undefined
  return {
    note(token) {
      const now = clock.mono()
      for (const one of held) if (one.until < now) one.release()
      held = held.filter(one => one.until >= now)
      held.push({ until: now + token.lifeMs + AFTER_MS, release: secrets.hold(server, token.access) })
      if (token.refresh === undefined || token.refresh === refresh?.value) return
      // What it replaces may have been used up, or may not.
      if (refresh !== undefined) held.push({ until: now + token.lifeMs + AFTER_MS, release: refresh.release })
      refresh = { value: token.refresh, release: secrets.hold(server, token.refresh) }
    },
  }
}
