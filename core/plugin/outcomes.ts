// What is counted and billed: ends of calls as the durable record has them, and the usage that comes of them. Types of the services between audit, meter and stripe.
import { type Service, service } from './service.ts'

/** The end of one call, as it stands in the durable record: one for each call id. */
export interface DurableOutcome {
  /** Place in its stream, from 1. */
  readonly seq: number
  readonly callId: string
  /** ms since 1970. */
  readonly at: number
  readonly tenant?: string
  /** Pseudonym of who called; several may stand for one. Absent where nobody was identified. */
  readonly subject?: string
  /** MCP method. */
  readonly action: string
  readonly server?: string
  /** Tool, prompt or uri. */
  readonly target?: string
  /** Transport, JSON-RPC and the tool's own error apart: `answered`, `tool-error`, `upstream-error`, `timeout`, `cancelled`, `crashed`, `withheld`, `input-required`, `unknown`. */
  readonly outcome: string
  readonly errorCode?: string
  /** Of the sent arguments, and of the result. */
  readonly requestBytes?: number
  readonly resultBytes?: number
  /** Milliseconds: whole, and of them those of the server. */
  readonly durationMs?: number
  readonly upstreamMs?: number
}

/** Some that follow one another; `through`: the last record that was looked at, so that a stream can be gone on with there. */
export interface OutcomePage {
  readonly outcomes: readonly DurableOutcome[]
  readonly through: number
}

/** Outcomes as they become durable, and those of earlier boots and other gateways. Provided by `audit`. */
export interface Outcomes {
  /** Of this boot. */
  readonly stream: string
  /** Told in the order of `seq`, each once, as soon as they are durable; never throws back. Called in `setup`, so that none is missed. */
  listen(listener: (page: OutcomePage) => void): void
  /** Streams of this log, oldest first; `isLive`: a process writes it. */
  streams(): Promise<readonly { readonly name: string; readonly isLive: boolean }[]>
  /** Records of a stream behind `after`. Between pages other work gets its turn. */
  read(stream: string, after: number, signal: AbortSignal): AsyncIterable<OutcomePage>
  /** Who a pseudonym stands for; undefined where he was forgotten, or for want of the key. */
  whoIs(subjects: Iterable<string>): Promise<ReadonlyMap<string, { readonly tenant?: string; readonly id: string }>>
}
export const Outcomes: Service<Outcomes> = service<Outcomes>('outcomes')

/** What one caller used of one tool in one window, so far: a late call of a killed gateway may still raise it. */
export interface UsageRow {
  /** ms since 1970, inclusive and exclusive. */
  readonly start: number
  readonly end: number
  readonly tenant: string
  /** Pseudonym. */
  readonly subject: string
  readonly server: string
  readonly target: string
  /** Completed calls. */
  readonly calls: number
  /** By the price table, in thousandths of a unit: whole numbers add up exactly. */
  readonly milliUnits: number
}

/** Provided by `meter`. */
export interface Usage {
  /**
   * Rows that have changed behind `cursor` (absent: all), each with its totals, of windows that had ended by `endedBy` (ms since 1970).
   * `cursor` of the last page goes on from there, also in another process.
   */
  changes(
    cursor: string | undefined,
    endedBy: number,
    signal: AbortSignal,
  ): AsyncIterable<{ readonly rows: readonly UsageRow[]; readonly cursor: string }>
}
export const Usage: Service<Usage> = service<Usage>('usage')
