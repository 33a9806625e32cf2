// Work that would hold up calls, such as reading a whole log: done in a process of its own, so that the gateway goes on answering.
import type { Clock, Log } from './host.ts'
import type { Stores } from './store.ts'

/** What is to be done apart. Nothing of it stands in arguments or the environment of the process. */
export interface ApartJob {
  /** A module of the plugin, a file that exports `work`: an `ApartWork`. */
  readonly module: URL
  /** Data only (what `structuredClone` takes). */
  readonly input: unknown
  /** Answers what the work asks; a rejection rejects there, with its message. */
  answer(question: unknown): Promise<unknown>
  /** Aborted: the work is told, and killed where it has not ended 2 s later. */
  readonly signal: AbortSignal
}

/** What the work has at hand. Where the gateway ends, it is ended with it. */
export interface ApartIo {
  readonly input: unknown
  /** Those of the gateway, opened anew. */
  readonly stores: Stores
  /** Shows the time of the gateway. */
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  ask(question: unknown): Promise<unknown>
}

/** Data only; a rejection rejects `apart`, with its message. */
export type ApartWork = (io: ApartIo) => Promise<unknown>
