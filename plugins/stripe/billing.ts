// What the plugin needs of Stripe, and how an answer is understood: above all, whether something may have been counted.

export interface MeterEvent {
  readonly event: string
  readonly customer: string
  readonly identifier: string
  readonly value: number
  /** Seconds since 1970. */
  readonly timestamp: number
}

/** A meter of the account. `fault`: why nothing can be billed with it. */
export interface Meter {
  readonly id: string
  readonly customerKey: string
  readonly valueKey: string
  readonly fault?: string
}

export type Answer =
  /** Taken, now or by an earlier try. */
  | { readonly kind: 'counted' }
  /** Not counted, and it would be refused again. */
  | { readonly kind: 'refused'; readonly why: string }
  /** To be tried again, `after` ms at the earliest. `isSure`: it was not counted. */
  | { readonly kind: 'later'; readonly why: string; readonly isSure: boolean; readonly after?: number }

/** Stripe could not be asked; `after`: ms that it wants to be left alone. */
export class Unanswered extends Error {
  readonly after: number
  constructor(why: string, after = 0, cause?: unknown) {
    super(why, { cause })
    this.after = after
  }
}

/** Where there is no `Answer`, what Stripe does not say rejects with `Unanswered`. */
export interface Billing {
  /** Most events of one request. */
  readonly batch: number
  /** All or none are counted. */
  send(events: readonly MeterEvent[], meters: Meters): Promise<Answer>
  /** Cancels one event of the last 24 hours. */
  cancel(event: string, identifier: string): Promise<Answer>
  /** By event name. */
  meters(): Promise<Meters>
  /** What a customer has on a meter in a span of whole minutes (ms since 1970). */
  sum(meter: Meter, customer: string, from: number, to: number): Promise<number>
  /** What Stripe found wrong with events of a meter after it had taken them, since then (ms since 1970). */
  faults(meter: Meter, since: number): Promise<readonly Fault[]>
  close(): Promise<void>
}
export type Meters = ReadonlyMap<string, Meter>

/** One report of Stripe on events that it took and did not count. */
export interface Fault {
  readonly id: string
  readonly why: string
  /** Those that it names; it names only some. */
  readonly identifiers: readonly string[]
}
