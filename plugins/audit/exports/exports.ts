// All exports of one gateway: what is configured, what each of them sends, and what is told of how they do.
import type { AdminEvent, PluginContext } from 'mcpgw/plugin'
import { appendToFile } from '../anchor-places.ts'
import type { AuditConfig } from '../config.ts'
import type { LogStore } from '../store/log-store.ts'
import type { Keys } from '../subjects.ts'
import type { Limits, Target } from './batch.ts'
import type { ExportConfig } from './config.ts'
import { type Form, formOf } from './forms.ts'
import { otlpTarget } from './otlp.ts'
import { createRunner, type Runner, type Watch } from './runner.ts'
import { syslogTarget } from './syslog.ts'
import { createView } from './view.ts'
import { webhookTarget } from './webhook.ts'

export interface ExportsOptions {
  readonly ctx: PluginContext<AuditConfig>
  readonly store: LogStore
  readonly keys: Keys
  /** Undefined: all is well again. */
  onHealth(why: string | undefined): void
  /** Rejects where it cannot be recorded. */
  record(event: AdminEvent): Promise<void>
}

export interface Exports {
  start(): void
  close(ms: number): Promise<void>
}

const EVERY_MS = 1000
const TELL_MS = 3_600_000
const FILE_LIMITS: Limits = { records: 5000, bytes: 8_388_608 }

export function createExports(options: ExportsOptions): Exports {
  const watchOf = createWatches(options)
  const runners = options.ctx.config.exports.map(config => createExport(config, options, watchOf(config.name)))
  return {
    start() {
      for (const runner of runners) runner.start()
    },
    async close(ms) {
      await Promise.all(runners.map(runner => runner.close(ms)))
    },
  }
}

function createExport(config: ExportConfig, { ctx, store, keys }: ExportsOptions, watch: Watch): Runner {
  const { clock, log } = ctx
  const form = formOf(config.form, ctx.instance.version)
  return createRunner({
    name: config.name,
    target: targetOf(config, ctx, form),
    store,
    clock,
    log,
    watch,
    every: EVERY_MS,
    types: config.records && new Set(config.records),
    view: reader => createView({ names: config.names, contents: config.contents, keys, clock, subjects: () => reader.subjects() }),
    write: event => form.write(event),
  })
}

function targetOf({ receiver }: ExportConfig, { clock, stores, instance }: PluginContext<AuditConfig>, { contentType }: Form): Target {
  switch (receiver.kind) {
    case 'webhook':
      return webhookTarget({ ...receiver, clock, contentType })
    case 'otlp':
      return otlpTarget({ ...receiver, clock, instance: instance.id, version: instance.version })
    case 'syslog':
      return syslogTarget({ ...receiver, ca: receiver.ca && stores.resolve(receiver.ca), host: instance.id })
    case 'file': {
      const place = appendToFile(stores.resolve(receiver.path))
      return { name: place.name, limits: FILE_LIMITS, deliver: ({ lines }, signal) => place.deliver(lines.join('\n'), signal) }
    }
  }
}

/** Metrics, health and record of each export. */
function createWatches({ ctx, onHealth, record }: ExportsOptions): (name: string) => Watch {
  const { metrics, clock } = ctx
  const labels = ['export']
  const seconds = metrics.gauge('export_lag_seconds', 'Age of the oldest record that is not exported', labels)
  const waiting = metrics.gauge('export_lag_records', 'Records that are not exported', labels)
  const sent = metrics.counter('export_records_total', 'Records that were exported', labels)
  const failures = metrics.counter('export_failures_total', 'Attempts to export that failed', labels)
  const failing = new Map<string, string>()
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
        onHealth(failing.size === 0 ? undefined : [...failing].map(([one, reason]) => `export ${one}: ${reason}`).join('; '))
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
