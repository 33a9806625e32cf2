// Keeps the log as long as is configured, by itself: once a day what is new goes into files, and then what is too old goes out of the log.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AdminEvent, CommandIo, PluginContext } from 'mcpgw/plugin'
import type { State } from './commands/export-file.ts'
import type { AuditConfig } from './config.ts'

export interface RetentionOptions {
  readonly ctx: PluginContext<AuditConfig>
  record(event: AdminEvent): Promise<void>
  /** Undefined: all is well. */
  onHealth(why: string | undefined): void
}

export interface ScheduledRetention {
  start(): void
  /** Resolves when what is at work has stopped. */
  close(): Promise<void>
}

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

/** Gateways that share a log do not all come at once; whoever finds another one at work comes again in an hour. */
export function createRetention({ ctx, record, onHealth }: RetentionOptions): ScheduledRetention {
  const { retention } = ctx.config
  const stopping = new AbortController()
  let cancel = (): void => {}
  let working = Promise.resolve()
  const comeAgain = (ms: number): void => {
    if (!stopping.signal.aborted)
      cancel = ctx.clock.after(ms + Math.random() * 10 * MINUTE_MS, () => {
        working = work()
      })
  }

  async function work(): Promise<void> {
    const failed = await keep().catch((error: Error) => error.message)
    if (stopping.signal.aborted) return
    onHealth(failed === undefined ? undefined : `retention: ${failed}`)
    if (failed !== undefined) ctx.log.warn('what is too old could not go out of the audit log', { why: failed })
    comeAgain(failed === undefined ? DAY_MS : 60 * MINUTE_MS)
  }

  /** Resolves to why it could not be done. */
  async function keep(): Promise<string | undefined> {
    const { days, folder } = retention!
    const dir = ctx.stores.resolve(folder)
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    const [{ exportLog }, { pruneLog }] = await Promise.all([import('./commands/export.ts'), import('./commands/prune.ts')])
    const out = openMonth(dir, new Date(ctx.clock.now()).toISOString().slice(0, 7))
    return (await run(exportLog, { out, resume: existsSync(out) })) ?? (await run(pruneLog, { olderThan: `${days}d`, exported: dir }))
  }

  /** What it says on stderr with another code than 0 is why it failed; that a hold keeps something is none. */
  async function run(verb: (io: CommandIo<AuditConfig>) => Promise<number>, options: CommandIo['options']): Promise<string | undefined> {
    let said = ''
    const code = await verb({
      args: [],
      options,
      json: false,
      config: ctx.config,
      stores: ctx.stores,
      clock: ctx.clock,
      log: ctx.log,
      cwd: ctx.stores.resolve('.'),
      operator: { id: 'system' },
      signal: stopping.signal,
      interactive: false,
      color: false,
      out() {},
      err(text) {
        said += text
      },
      async record(event) {
        return record(event).then(
          () => true,
          () => false,
        )
      },
      find: async () => undefined,
      personal: async () => [],
      inspect: async () => ({ failed: 'this is no command' }),
    })
    return code === 0 || said === '' ? undefined : said.trim()
  }

  return {
    start() {
      if (retention !== undefined) comeAgain(MINUTE_MS)
    },
    async close() {
      stopping.abort()
      cancel()
      await working
    },
  }
}

/** The file of a month; a new one goes on where the newest one before it ended. */
function openMonth(dir: string, month: string): string {
  const path = join(dir, `audit-${month}.jsonl`)
  const before = readdirSync(dir)
    .filter(name => /^audit-\d{4}-\d\d\.jsonl\.state$/.test(name))
    .sort()
    .at(-1)
  if (existsSync(path) || before === undefined) return path
  const state = JSON.parse(readFileSync(join(dir, before), 'utf8')) as State
  writeFileSync(`${path}.state`, `${JSON.stringify({ ...state, bytes: 0, records: 0 })}\n`, { mode: 0o600 })
  writeFileSync(path, '', { flag: 'wx', mode: 0o600 })
  return path
}
