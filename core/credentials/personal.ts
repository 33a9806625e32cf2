// What the gateway itself keeps about people: the tokens that they have given it for servers.
import { isOf, readOwner } from '../owner.ts'
import type { PersonalHolder, Stores } from '../plugin/index.ts'
import { createUserTokens, hasUserTokens, type UserTokens } from './user-tokens.ts'

/** `plugin` names it beside the plugins. A gateway that runs stops using what is erased within a second. */
export function holdUserTokens(stores: Stores): PersonalHolder {
  async function using<T>(work: (tokens: UserTokens) => Promise<T>, without: T): Promise<T> {
    if (!(await hasUserTokens(stores))) return without
    const tokens = createUserTokens(stores)
    try {
      return await work(tokens)
    } finally {
      await tokens.close()
    }
  }
  return {
    plugin: 'credentials',
    async export(person) {
      const all = await using(tokens => tokens.all(), [])
      const held = all.filter(({ owner }) => isOf(owner, person))
      return held.length === 0 ? undefined : { tokens: held.map(({ owner, server }) => ({ tenant: readOwner(owner).tenant, server })) }
    },
    async erase(person) {
      const entries = await using(tokens => tokens.erase(person), 0)
      const left = 'what the authorization servers have given out, which only they can take back'
      return entries === 0 ? { entries } : { entries, left }
    },
  }
}
