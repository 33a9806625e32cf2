// What approval keeps about people: what they asked for, and what they decided.
import type { JsonValue, Person, PersonalData } from 'mcpgw/plugin'
import type { ApprovalConfig } from './config.ts'
import { type Request, show } from './request.ts'
import { withApprovals } from './store/open.ts'
import type { ApprovalStore } from './store/store.ts'

export const personal: PersonalData<ApprovalConfig> = {
  async export(person, { stores, config, clock }) {
    const found = await withApprovals(stores, config, store => requestsOf(store, person))
    return found === undefined || found.length === 0 ? undefined : (found.map(one => show(one, clock.now())) as unknown as JsonValue)
  },
  // A request that he has decided, or asked for, is asked for anew.
  async erase(person, { stores, config }) {
    const erased = await withApprovals(stores, config, async store => {
      const ids = (await requestsOf(store, person)).map(({ id }) => id)
      return ids.length === 0 ? 0 : store.erase(ids)
    })
    return { entries: erased ?? 0 }
  },
}

async function requestsOf(store: ApprovalStore, { id, tenant }: Person): Promise<readonly Request[]> {
  const all = await store.list(tenant)
  return all.filter(one => one.principal === id || one.rejected?.by === id || one.given.some(({ by }) => by === id))
}
