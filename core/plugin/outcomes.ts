// What is counted and billed: ends of calls as the durable record has them, and the usage that comes of them. Types of the services between audit, meter and stripe.
import { type Service, service } from './service.ts'
import type { Stores } from './store.ts'

/** The end of one call, as it stands in the durable record: one for each call id, but for what `revises` and `unknown` say. */
export interface DurableOutcome {
  /** Place in its stream, from 1. */
  readonly seq: number
  readonly callId: string
  /** ms since 1970. */
  readonly at: number
  readonly tenant?: string | undefined
  /** Pseudonym of who called; several may stand for one. Absent where nobody was identified. */
  readonly subject?: string | undefined
  /** MCP method. */
  readonly action: string
  readonly server?: string | undefined
  /** Of the server, where its config names one. */
  readonly version?: string | undefined
  /** Tool, prompt or uri. */
  readonly target?: string | undefined
  /**
   * Transport, JSON-RPC and the tool's own error apart: `answered`, `tool-error`, `upstream-error`, `timeout`, `cancelled`, `crashed`, `withheld`,
   * `input-required`; `unknown`: the gateway ended before the call did. It may have gone on after all, where only its database was away, and then has another outcome.
   */
  readonly outcome: string
  readonly errorCode?: string | undefined
  /** Of the sent arguments, and of the result. */
  readonly requestBytes?: number | undefined
  readonly resultBytes?: number | undefined
  /** Milliseconds: whole, and of them those of the server. */
  readonly durationMs?: number | undefined
  readonly upstreamMs?: number | undefined
  /** It is no end of its own, but corrects the one that the same call has had: what that one said, and its time. */
  readonly revises?: { readonly outcome: string; readonly at: number } | undefined
}

/** Some of one stream that follow one another. */
export interface OutcomePage {
  readonly stream: string
  /** The first and last record that was looked at. What is between two pages of a stream was taken out of the log. */
  readonly first: number
  readonly through: number
  readonly outcomes: readonly DurableOutcome[]
}

/** What somebody has read of a log: of each stream through which record, and the `place` that came with it. */
export interface ReadSoFar {
  readonly through: ReadonlyMap<string, number>
  readonly place: string | undefined
}

/** Outcomes as they become durable, and those of earlier boots and other gateways. Provided by `audit`. */
export interface Outcomes {
  /** Of this boot. */
  readonly stream: string
  /** Told in the order of `seq`, each once, as soon as they are durable; must not throw. Called in `setup`; what was recorded before is read. */
  listen(listener: (page: OutcomePage) => void): void
  /** Whatever the log has beyond `known`, each stream in the order of `seq`. Between pages other work gets its turn. Rejects where the log cannot be read. */
  read(known: ReadSoFar, signal: AbortSignal): AsyncIterable<{ readonly pages: readonly OutcomePage[]; readonly place: string }>
  /** Who a pseudonym stands for; without those who were forgotten, and without anybody for want of the key. */
  whoIs(subjects: Iterable<string>): Promise<ReadonlyMap<string, { readonly tenant: string; readonly id: string }>>
}
export const Outcomes: Service<Outcomes> = service<Outcomes>('outcomes')

/** What one caller used of one tool in one window, so far: a late call of a killed gateway may still raise it. */
export interface UsageRow {
  /** ms since 1970, inclusive and exclusive. */
  readonly start: number
  readonly end: number
  /** Empty where nobody was identified; so is `subject`. */
  readonly tenant: string
  /** Pseudonym. */
  readonly subject: string
  readonly server: string
  /** Tool or prompt; for all else the method. */
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
   * `cursor` of the last page goes on from there, also in another process. Rejects where the store cannot be read.
   */
  changes(
    cursor: string | undefined,
    endedBy: number,
    signal: AbortSignal,
  ): AsyncIterable<{ readonly rows: readonly UsageRow[]; readonly cursor: string }>
  /**
   * Called in `setup` by whoever needs every row, under the name of its plugin: from then on no row is forgotten that it has not got. The function
   * that is returned is told the last cursor whose rows it keeps durably; until the first one nothing is forgotten. `longest`: ms after the end of
   * a window until it takes it, at most; throws where windows are kept no longer than that.
   */
  hold(consumer: string, longest: number): (cursor: string) => void
}
export const Usage: Service<Usage> = service<Usage>('usage')

/** A plugin of the config that reads the durable record, and how far it is: of each stream through which record; of one that is not named it has read nothing. */
export interface RecordReader {
  readonly plugin: string
  readonly through: ReadonlyMap<string, number>
}

/** What a plugin has at hand to say how far it is: its checked config, and the stores of the gateway, which may run meanwhile. */
export interface RecordReaderIo<C = unknown> {
  readonly config: C
  readonly stores: Stores
}
