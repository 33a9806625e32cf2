// What is told of how the exports do: metrics, health, and what of it goes on record.
import type { AdminEvent, Clock, PluginContext } from 'mcpgw/plugin'
import type { Batch } from './batch.ts'

/** What is told while it runs. */
export interface Watch {
  /** ms that the oldest record waits which is not exported, and how many wait. */
  lag(ms: number, records: number): void
  sent(records: number): void
  /** Undefined: it works (again). */
  failing(why: string | undefined): void
  /** How many of these the receiver will never take: they are passed over. Never rejects. */
  rejected(batch: Pick<Batch, 'stream' | 'from' | 'to'>, count: number): Promise<void>
  /** Something else was exported than what exporting itself puts on record. Never rejects. */
  moved(cursor: string, records: number): Promise<void>
}

export interface WatchOptions {
  readonly ctx: { readonly metrics: PluginContext['metrics']; readonly clock: Clock }
  /** Undefined: all is well again. */
  onHealth(why: string | undefined): void
  /** Rejects where it cannot be recorded. */
  record(event: AdminEvent): Promise<void>
}

const TELL_MS = 3_600_000

/** Metrics, health and record of each export. */
export function createWatches({ ctx: { metrics, clock }, onHealth, record }: WatchOptions): (name: string) => Watch {
  const labels = ['export']
  const seconds = metrics.gauge('export_lag_seconds', 'Age of the oldest record that is not exported', labels)
  const waiting = metrics.gauge('export_lag_records', 'Records that are not exported', labels)
  const sent = metrics.counter('export_records_total', 'Records that were exported', labels)
  const failures = metrics.counter('export_failures_total', 'Attempts to export that failed', labels)
  const rejections = metrics.counter('export_rejected_total', 'Records that a receiver said it will never take', labels)
  const failing = new Map<string, string>()
  const rejecting = new Map<string, string>()
  const tell = (): void => {
    const all = [...failing, ...rejecting].map(([one, why]) => `export ${one}: ${why}`)
    onHealth(all.length === 0 ? undefined : all.join('; '))
  }
  return name => {
    const label = { export: name }
    let told = Number.NEGATIVE_INFINITY
    return {
      lag(ms, records) {
        seconds.set(ms / 1000, label)
        waiting.set(records, label)
      },
      sent: records => sent.inc(label, records),
      failing(why) {
        if (why === undefined) failing.delete(name)
        else {
          failing.set(name, why)
          failures.inc(label)
        }
        tell()
      },
      async rejected({ stream, from, to }, count) {
        if (count === 0) rejecting.delete(name)
        else {
          rejecting.set(name, `${count} of records ${stream}:${from} to ${to} were rejected`)
          rejections.inc(label, count)
        }
        tell()
        if (count === 0) return
        // Beside the metric and the log, by which it is told where it cannot be recorded.
        await record({ type: 'export.rejected', success: false, detail: { export: name, stream, from, to, rejected: count } }).catch(
          () => {},
        )
      },
      async moved(cursor, records) {
        if (clock.mono() - told < TELL_MS) return
        told = clock.mono()
        // Where it cannot be recorded now, the next hour tells.
        await record({ type: 'export.cursor', detail: { export: name, cursor, records } }).catch(() => {})
      },
    }
  }
}
