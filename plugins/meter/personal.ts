// What meter keeps about people: sums under pseudonyms. They stay when somebody is erased, for they are billed; whose they were nobody can tell then.
import { existsSync } from 'node:fs'
import type { JsonValue, Person, PersonalData, PersonalIo } from 'mcpgw/plugin'
import type { MeterConfig } from './config.ts'
import { openUsage } from './store/open.ts'
import type { Sum } from './store/usage-store.ts'

export const personal: PersonalData<MeterConfig> = {
  async export(person, io) {
    const sums = await sumsOf(person, io)
    return sums.length === 0 ? undefined : sums.map(describe)
  },
  erase: () => ({ entries: 0 }),
}

async function sumsOf({ subjects }: Person, { stores, config }: PersonalIo<MeterConfig>): Promise<readonly Sum[]> {
  // None is made for this.
  if (stores.postgres() === undefined && !existsSync(stores.resolve(config.path))) return []
  const store = await openUsage(stores, config, 'read')
  try {
    const sums = await store.sum({
      span: 'window',
      from: 0,
      to: Number.MAX_SAFE_INTEGER,
      by: ['tenant', 'subject', 'server', 'target', 'day'],
    })
    return sums.filter(({ subject }) => subject !== undefined && subjects.includes(subject))
  } finally {
    await store.close()
  }
}

function describe({ tenant = '', subject = '', server = '', target = '', day = 0, ends, milliUnits }: Sum): JsonValue {
  return {
    day: new Date(day).toISOString().slice(0, 10),
    tenant,
    subject,
    server,
    target,
    ends: { ...ends },
    milliUnits: Number(milliUnits),
  }
}
