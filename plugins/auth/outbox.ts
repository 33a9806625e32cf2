// Forwards what the key commands did, in processes of their own, to the record of the running gateway.
import type { Log, Recording } from 'mcpgw/plugin'
import type { KeyStore } from './store.ts'

export interface Outbox {
  /** Forwards what has gathered, in order. Never rejects: what could not be recorded stays and `isBehind`. */
  forward(): Promise<void>
  readonly isBehind: boolean
  /** Resolves when nothing is being forwarded. */
  idle(): Promise<void>
}

/** Each event reaches the record at least once: it leaves the outbox only when it is durable there. */
export function createOutbox(store: KeyStore, findRecording: () => Recording | undefined, log: Log): Outbox {
  let running: Promise<void> | undefined
  let isBehind = false

  async function forwardAll(): Promise<void> {
    try {
      const recording = findRecording()
      // Without a recorder the events wait for a gateway that has one.
      if (recording === undefined) return
      // Until none is left, so that what is written meanwhile goes along.
      for (let events = store.events(); events.length > 0; events = store.events()) {
        for (const { seq, id, at, type, actor, detail } of events) {
          await recording.event({ type, actor, detail: { ...detail, eventId: id, at: new Date(at).toISOString() } })
          store.forget(seq)
        }
      }
      isBehind = false
    } catch (error) {
      if (!isBehind) log.warn('key events cannot be recorded yet; they are kept and tried again', { error: String(error) })
      isBehind = true
    }
  }

  return {
    get isBehind() {
      return isBehind
    },
    async idle() {
      await running
    },
    forward() {
      running ??= forwardAll().finally(() => {
        running = undefined
      })
      return running
    },
  }
}
