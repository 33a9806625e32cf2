// What the operation `stripe_status` is answered from, in a process of its own: an outbox may have very many lines.
import type { ApartWork } from 'mcpgw/plugin'
import type { StripeConfig } from './config.ts'
import { readStatus, type StatusConfig, type StatusFacts } from './status.ts'
import { openOutbox } from './store/open.ts'

export interface StatusReading {
  readonly config: StatusConfig & Pick<StripeConfig, 'path' | 'since'>
}

/** Undefined where there is no outbox yet. */
export const work: ApartWork = async ({ input, stores, clock, signal }): Promise<StatusFacts | undefined> => {
  const { config } = input as StatusReading
  const outbox = openOutbox(stores, config)
  try {
    const reader = await outbox.reader()
    try {
      const { began = 0 } = await reader.notes()
      return await readStatus(reader, { config, since: config.since ?? Number(began), now: clock.now() }, outbox.name, signal)
    } finally {
      await reader.close()
    }
  } catch (error) {
    if ((error as { code?: unknown }).code === 'store-missing') return undefined
    throw error
  } finally {
    await outbox.close()
  }
}
