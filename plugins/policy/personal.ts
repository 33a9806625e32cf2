// What policy keeps about people: when they last did what rules ask `after` for.
import type { PersonalData } from 'mcpgw/plugin'
import type { PolicyConfig } from './config.ts'
import { erasePast, readPast } from './history-store.ts'

export const personal: PersonalData<PolicyConfig> = {
  export(person, { stores }) {
    const past = readPast(stores, person)
    return past.length === 0
      ? undefined
      : { history: past.map(({ tenant, event, at }) => ({ tenant, event, at: new Date(at).toISOString() })) }
  },
  erase: (person, { stores }) => ({ entries: erasePast(stores, person) }),
}
