// Forwards what the key commands did, in processes of their own, to the record of the running gateway.
import type { AdminEvent, Clock, Log, Recording } from 'mcpgw/plugin'
import type { AnyKeyStore } from './shared-store.ts'
import type { KeyEvent } from './store.ts'

export interface Outbox {
  /** Forwards what has gathered, in order. Never rejects: what could not be recorded stays and `isBehind`. */
  forward(): Promise<void>
  readonly isBehind: boolean
  /** Resolves when nothing is being forwarded. */
  idle(): Promise<void>
}

/** As the record has it. `eventId` tells one that was recorded twice, after a kill in between. */
export function describeKeyEvent({ id, at, type, actor, detail }: KeyEvent): AdminEvent {
  const { principal, name, tenant, ...plain } = detail
  const told = { ...plain, eventId: id, at: new Date(at).toISOString() }
  // Of a key of somebody who was erased since there is no more to tell.
  if (typeof principal !== 'string' || typeof tenant !== 'string') return { type, actor, detail: told }
  return { type, actor, detail: told, about: { tenant, id: principal, detail: { principal, tenant, ...(name !== undefined && { name }) } } }
}

/** Each event reaches the record at least once: it leaves the outbox only when it is durable there. */
export function createOutbox(store: AnyKeyStore, findRecording: () => Recording | undefined, log: Log, clock: Clock): Outbox {
  let running: Promise<void> | undefined
  let isBehind = false
  let isWaiting = false

  async function recordAll(recording: Recording, events: readonly KeyEvent[]): Promise<void> {
    for (const [i, event] of events.entries()) {
      try {
        await recording.event(describeKeyEvent(event))
      } catch (error) {
        for (const { seq } of events.slice(i)) await store.giveBack(seq)
        throw error
      }
      await store.forget(event.seq)
    }
  }

  async function forwardAll(): Promise<void> {
    try {
      const recording = findRecording()
      // Without a recorder the events wait for a gateway that has one.
      if (recording === undefined) return
      // Until none is left, so that what is written meanwhile goes along.
      for (let events = await store.take(clock.now()); events.length > 0; events = await store.take(clock.now()))
        await recordAll(recording, events)
      // What a command has taken is its own to record, unless it dies over it.
      isWaiting = await store.hasEvents()
      isBehind = false
    } catch (error) {
      if (!isBehind) log.warn('key events cannot be recorded yet; they are kept and tried again', { error: String(error) })
      isBehind = true
    }
  }

  return {
    get isBehind() {
      return isBehind || isWaiting
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
