// What is handed to the ledger: a record that has no place in the chain yet.
import type { Append, DurableOutcome } from 'mcpgw/plugin'

/** A record before it has its place. `members` is JSON text with a leading comma, or empty. */
export interface Entry {
  readonly type: string
  /** Id of the exchange it belongs to, or empty. */
  readonly call: string
  readonly at: number
  readonly mono: number
  readonly members: string
  /** Whom it is about, where something in it is sealed. */
  readonly subject?: Stored
  /** Somebody else whom it is about. */
  readonly about?: Stored | undefined
  /** Written after the fact: the store did not work when it happened. */
  readonly late?: boolean
  /** How the call ended, where it is an outcome and somebody wants to know once it is durable. */
  readonly end?: Ending
}

/** What its place in the log does not say. */
export type Ending = Omit<DurableOutcome, 'seq' | 'callId' | 'at'>

/** What must be stored before a record that refers to it, once. */
export interface Stored {
  readonly row: Append
  stored: boolean
}
