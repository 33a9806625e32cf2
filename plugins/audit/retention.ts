// Keeps the log as long as is configured, by itself: once a day a process of its own does what is due, and the gateway puts on record what that does.
import type { AdminEvent, PluginContext } from 'mcpgw/plugin'
import type { AuditConfig } from './config.ts'
import type { KeepingQuestion } from './keeping.ts'

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
// This file is TypeScript where the sources are run as they are.
const module = new URL(`./keeping${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url)

/** Gateways that share a log do not all come at once; whoever finds another one at work comes again in an hour. */
export function createRetention({ ctx, record, onHealth }: RetentionOptions): ScheduledRetention {
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
    const failed = await keep()
    if (stopping.signal.aborted) return
    onHealth(failed === undefined ? undefined : `retention: ${failed}`)
    if (failed !== undefined) ctx.log.warn('what is too old could not go out of the audit log', { why: failed })
    comeAgain(failed === undefined ? DAY_MS : 60 * MINUTE_MS)
  }

  /** Resolves to why it could not be done. */
  async function keep(): Promise<string | undefined> {
    try {
      const why = await ctx.apart({ module, input: ctx.config, answer, signal: stopping.signal })
      return typeof why === 'string' ? why : undefined
    } catch (error) {
      return (error as Error).message
    }
  }

  async function answer(question: unknown): Promise<unknown> {
    const asked = question as KeepingQuestion
    if (asked === 'readers') return ctx.readers()
    const { record: event } = asked
    if (!/^log\.[a-z]+$/.test(event.type)) throw new TypeError(`"${event.type}" is nothing that retention does`)
    return record(event).then(
      () => true,
      () => false,
    )
  }

  return {
    start() {
      if (ctx.config.retention !== undefined) comeAgain(MINUTE_MS)
    },
    async close() {
      stopping.abort()
      cancel()
      await working
    },
  }
}
