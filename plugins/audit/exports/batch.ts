// What goes to a receiver at once: some records of one stream that follow one another, as lines and as events.
import type { AuditEvent } from './event.ts'

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
  /** Resolves once the receiver has it all; rejects where that is not known. The same batch may come again. */
  deliver(batch: Batch, signal: AbortSignal): Promise<void>
}

/** The same for each attempt to bring the same batch. */
export const keyOf = ({ stream, from, to }: Batch): string => `${stream}:${from}-${to}`

/** Batches of each stream in its order. */
export function split(events: readonly AuditEvent[], write: (event: AuditEvent) => string, limits: Limits): readonly Batch[] {
  const streams = new Map<string, AuditEvent[]>()
  for (const event of events) {
    const { stream } = event.record
    const some = streams.get(stream)
    if (some === undefined) streams.set(stream, [event])
    else some.push(event)
  }
  return [...streams.values()].flatMap(some => cut(some, write, limits))
}

function cut(events: readonly AuditEvent[], write: (event: AuditEvent) => string, limits: Limits): Batch[] {
  const batches: Batch[] = []
  let begin = 0
  let bytes = 0
  let lines: string[] = []
  const close = (end: number): void => {
    const some = events.slice(begin, end)
    const { stream, seq } = some[0]!.record
    batches.push({ stream, from: seq, to: some.at(-1)!.record.seq, events: some, lines })
    begin = end
    bytes = 0
    lines = []
  }
  for (const [at, event] of events.entries()) {
    const line = write(event)
    const size = Buffer.byteLength(line) + 1
    if (lines.length > 0 && (lines.length >= limits.records || bytes + size > limits.bytes)) close(at)
    lines.push(line)
    bytes += size
  }
  close(events.length)
  return batches
}
