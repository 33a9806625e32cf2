// What the gateway itself keeps about people: the tokens that they have given it for servers.
import { existsSync } from 'node:fs'
import type { PersonalHolder, Stores } from '../plugin/index.ts'
import { createUserTokens, USER_TOKENS_FILE, type UserTokens } from './user-tokens.ts'

export function hasUserTokens(stores: Pick<Stores, 'resolve'>): boolean {
  return existsSync(stores.resolve(USER_TOKENS_FILE))
}

/** `plugin` names it beside the plugins. What a gateway has in memory it holds to the token's end, and keeps nothing of it again. */
export function holdUserTokens(stores: Stores): PersonalHolder {
  async function using<T>(work: (tokens: UserTokens) => T, without: T): Promise<T> {
    if (!hasUserTokens(stores)) return without
    const tokens = createUserTokens(stores)
    try {
      return work(tokens)
    } finally {
      tokens.close()
    }
  }
  return {
    plugin: 'credentials',
    async export(person) {
      const held = await using(tokens => tokens.heldFor(person), [])
      return held.length === 0 ? undefined : { tokens: held.map(({ tenant, server }) => ({ tenant, server })) }
    },
    async erase(person) {
      const entries = await using(tokens => tokens.erase(person), 0)
      const left = 'what the authorization servers have given out, which only they can take back'
      return entries === 0 ? { entries } : { entries, left }
    },
  }
}
