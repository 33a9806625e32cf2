// Puts on record at once what a key command did. What cannot be recorded stays in the outbox, for the next gateway.
import type { CommandIo } from 'mcpgw/plugin'
import type { AuthConfig } from '../config.ts'
import { describeKeyEvent } from '../outbox.ts'
import type { KeyStore } from '../store.ts'

export async function tellRecord(io: CommandIo<AuthConfig>, store: KeyStore): Promise<void> {
  for (const event of store.take(io.clock.now())) {
    if (await io.record(describeKeyEvent(event))) store.forget(event.seq)
    else store.giveBack(event.seq)
  }
}
