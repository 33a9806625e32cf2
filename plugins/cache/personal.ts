// What is kept about people: nothing beyond the process, and there no longer than the config lets an answer live.
import { type PersonalData, writeDuration } from 'mcpgw/plugin'
import { type CacheConfig, units } from './config.ts'

export const personal: PersonalData<CacheConfig> = {
  export: () => undefined,
  erase(_person, { config: { rules } }) {
    const longest = Math.max(0, ...rules.map(({ ttl, negative = 0, staleIfError = 0 }) => Math.max(ttl + staleIfError, negative)))
    if (longest === 0) return { entries: 0 }
    return {
      entries: 0,
      left: `answers that a running gateway keeps in memory end within ${writeDuration(longest, units)}, or when it is stopped`,
    }
  },
}
