// Puts on record at once what a key command did. What cannot be recorded stays in the outbox, for the next gateway.
import type { CommandIo } from 'mcpgw/plugin'
import type { AuthConfig } from '../config.ts'
import { describeKeyEvent } from '../outbox.ts'
import type { AnyKeyStore } from '../shared-store.ts'

export async function tellRecord(io: CommandIo<AuthConfig>, store: AnyKeyStore): Promise<void> {
  for (const event of await store.take(io.clock.now())) {
    if (await io.record(describeKeyEvent(event))) await store.forget(event.seq)
    else await store.giveBack(event.seq)
  }
}
