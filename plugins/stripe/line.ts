// One line of the outbox: what one tenant has to be billed on one meter for one window, and how far that has come.
import { hash } from 'node:crypto'
import type { Quantity } from './config.ts'

/** Times in ms since 1970. */
export interface Line {
  readonly id: string
  readonly tenant: string
  readonly event: string
  readonly of: Quantity
  readonly start: number
  readonly end: number
  /** Calls, or thousandths of a unit, as the usage has them. */
  readonly used: number
  /** `used` in whole numbers, as Stripe takes it. */
  readonly wanted: number
  /** Counted by Stripe, as far as this ledger knows. */
  readonly sent: number
  readonly attempt: Attempt
}

/** What has been tried. Where `unsure` is set, Stripe may have counted `value` or not: nothing else may be tried for the line. */
export interface Attempt {
  readonly state: 'idle' | 'open' | 'uncertain'
  readonly kind: 'event' | 'cancel'
  /** Empty before the first attempt. */
  readonly customer: string
  /** Events that were counted or given up: the next identifier comes from it. */
  readonly revision: number
  readonly identifier: string
  readonly value: number
  /** The first try whose fate is unknown, 0 where the clock cannot be believed. */
  readonly unsure: number | null
  readonly tried: number
  /** Not before. */
  readonly next: number
  readonly error: string
  /** The last event that was counted, and when: it can be cancelled for a day. */
  readonly lastIdentifier: string
  readonly lastValue: number
  readonly lastAt: number
}

export const newAttempt: Attempt = {
  state: 'idle',
  kind: 'event',
  customer: '',
  revision: 0,
  identifier: '',
  value: 0,
  unsure: null,
  tried: 0,
  next: 0,
  error: '',
  lastIdentifier: '',
  lastValue: 0,
  lastAt: 0,
}

const digest = (parts: readonly (string | number)[], length: number): string =>
  hash('sha256', JSON.stringify(parts), 'hex').slice(0, length)

export const lineId = (tenant: string, event: string, of: Quantity, start: number, end: number): string =>
  digest([tenant, event, of, start, end], 20)

/** The same for the same attempt, whoever asks and how often; `outbox`: two outboxes never share one. At most 100 characters, as Stripe wants it. */
export const identify = (outbox: string, line: Line, customer: string): string =>
  `mcpgw_${digest([outbox, line.id, customer, line.attempt.revision], 40)}`

/** Seconds since 1970, inside the window. */
export const timestampOf = ({ end }: Pick<Line, 'end'>): number => Math.floor((end - 1) / 1000)

export const wholeOf = (of: Quantity, used: number): number => (of === 'units' ? Math.floor(used / 1000) : used)
