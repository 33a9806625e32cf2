// All exports of one gateway: what is configured, what each of them sends, and what is told of how they do.
import type { PluginContext } from 'mcpgw/plugin'
import { appendToFile } from '../anchor-places.ts'
import type { AuditConfig } from '../config.ts'
import { s3Place } from '../s3.ts'
import type { LogStore } from '../store/log-store.ts'
import type { Keys } from '../subjects.ts'
import type { Limits, Target } from './batch.ts'
import type { ExportConfig } from './config.ts'
import { type Form, formOf } from './forms.ts'
import { otlpTarget } from './otlp.ts'
import { createRunner, type Runner } from './runner.ts'
import { s3Target } from './s3.ts'
import { syslogTarget } from './syslog.ts'
import { createView } from './view.ts'
import { createWatches, type Watch, type WatchOptions } from './watch.ts'
import { webhookTarget } from './webhook.ts'

export interface ExportsOptions extends WatchOptions {
  readonly ctx: PluginContext<AuditConfig>
  readonly store: LogStore
  readonly keys: Keys
}

export interface Exports {
  start(): void
  close(ms: number): Promise<void>
}

const EVERY_MS = 1000
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
  // Evidence is what is stored, and that is sealed.
  const isSealed = config.form === 'evidence'
  return createRunner({
    name: config.name,
    target: targetOf(config, ctx, form),
    store,
    clock,
    log,
    watch,
    every: config.receiver.kind === 's3' ? config.receiver.every : EVERY_MS,
    types: config.records && new Set(config.records),
    view: reader =>
      createView({ names: config.names && !isSealed, contents: config.contents, keys, subjects: ids => reader.subjects(ids) }),
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
    case 's3':
      return s3Target(s3Place(receiver, clock), contentType)
    case 'file': {
      const place = appendToFile(stores.resolve(receiver.path))
      return { name: place.name, limits: FILE_LIMITS, deliver: ({ lines }, signal) => place.deliver(lines.join('\n'), signal) }
    }
  }
}
