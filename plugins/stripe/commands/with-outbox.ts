// What the verbs share: the outbox opened to read, and its absence told apart from a fault.
import type { CommandIo } from 'mcpgw/plugin'
import type { StripeConfig } from '../config.ts'
import type { Terms } from '../standing.ts'
import { openOutbox } from '../store/open.ts'
import type { Outbox, OutboxReader } from '../store/outbox.ts'

export type Io = CommandIo<StripeConfig>

export interface Opened {
  readonly outbox: Outbox
  readonly reader: OutboxReader
  readonly terms: Terms
}

/** The code that `work` resolves to; 3 where the outbox cannot be read. `empty`: there is none yet. */
export async function withOutbox(io: Io, work: (opened: Opened) => Promise<number>, empty: () => number): Promise<number> {
  const outbox = openOutbox(io.stores, io.config)
  try {
    let reader: OutboxReader
    try {
      reader = await outbox.reader()
    } catch (error) {
      if ((error as { code?: unknown }).code === 'store-missing') return empty()
      throw error
    }
    try {
      const { began = 0 } = await reader.notes()
      return await work({ outbox, reader, terms: { config: io.config, since: io.config.since ?? Number(began), now: io.clock.now() } })
    } finally {
      await reader.close()
    }
  } catch (error) {
    io.err(`stripe: ${(error as Error).message}`)
    return 3
  } finally {
    await outbox.close()
  }
}

export const time = (at: number | string): string => new Date(at).toISOString().replace(/:00\.000Z$/, 'Z')
