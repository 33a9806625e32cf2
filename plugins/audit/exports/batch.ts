// What goes to a receiver at once: some records of one stream that follow one another, as lines and as events.
import type { StoredRecord } from '../store/log-store.ts'
import { type AuditEvent, createEvent } from './event.ts'
import type { View } from './view.ts'

export interface Batch {
  readonly stream: string
  /** Of the first and the last record in it. */
  readonly from: number
  readonly to: number
  readonly events: readonly AuditEvent[]
  /** Each event in the configured form, without a line break. */
  readonly lines: readonly string[]
}

export interface Limits {
  readonly records: number
  /** Of text; one record may be larger. */
  readonly bytes: number
}

/** A place that batches are brought to. */
export interface Target {
  /** For messages: without what may be secret in it. */
  readonly name: string
  readonly limits: Limits
  /**
   * Resolves once the receiver has it all; rejects with `Rejected` where it has all that it will ever take. Whatever else it rejects with, the
   * same batch comes again.
   */
  deliver(batch: Batch, signal: AbortSignal): Promise<void>
}

/** The receiver has the batch but for some records, which it said it will never take. */
export class Rejected extends Error {
  readonly count: number
  constructor(count: number) {
    super(`${count} records were rejected`)
    this.count = count
  }
}

/** Resolves once it has the batch, to how many of its records the receiver will never take. */
export async function bringTo(target: Target, batch: Batch, signal: AbortSignal): Promise<number> {
  try {
    await target.deliver(batch, signal)
    return 0
  } catch (error) {
    if (error instanceof Rejected) return error.count
    throw error
  }
}

/** The receiver answered, and said no. */
export class Refused extends Error {
  readonly status: number
  /** ms that it asks to wait at least. */
  readonly after: number
  constructor(message: string, status: number, after = 0) {
    super(message)
    this.status = status
    this.after = after
  }
}

/** Records that are opened in one turn of the event loop. */
const PIECE = 100

/** The same for each attempt to bring the same batch. */
export const keyOf = ({ stream, from, to }: Batch): string => `${stream}:${from}-${to}`

/** Records of each stream in its order. */
export function byStream(records: readonly StoredRecord[]): readonly (readonly StoredRecord[])[] {
  const streams = new Map<string, StoredRecord[]>()
  for (const record of records) {
    const some = streams.get(record.stream)
    if (some === undefined) streams.set(record.stream, [record])
    else some.push(record)
  }
  return [...streams.values()]
}

/** The first of these records of one stream, as many as fit. Between the pieces in which they are opened other work gets its turn. */
export async function fill(
  records: readonly StoredRecord[],
  show: View,
  write: (event: AuditEvent) => string,
  limits: Limits,
): Promise<Batch> {
  const events: AuditEvent[] = []
  const lines: string[] = []
  let bytes = 0
  const add = (event: AuditEvent): boolean => {
    const line = write(event)
    bytes += Buffer.byteLength(line) + 1
    if (lines.length > 0 && bytes > limits.bytes) return false
    events.push(event)
    lines.push(line)
    return true
  }
  const end = Math.min(records.length, limits.records)
  for (let isOpen = true; isOpen && events.length < end; ) {
    const piece = records.slice(events.length, Math.min(end, events.length + PIECE))
    const bodies = await show(piece)
    isOpen = piece.every((record, at) => add(createEvent(record, bodies[at]!)))
    await new Promise(resolve => setImmediate(resolve))
  }
  const [first, last] = [events[0]!.record, events.at(-1)!.record]
  return { stream: first.stream, from: first.seq, to: last.seq, events, lines }
}
