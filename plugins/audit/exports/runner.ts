// One export: reads behind its cursor, brings batch after batch, and moves the cursor once the receiver has them. What fails is tried until it works.
import type { Clock, Log } from 'mcpgw/plugin'
import type { ExportPlace, LogReader, LogStore, StoredRecord } from '../store/log-store.ts'
import { type Batch, split, type Target } from './batch.ts'
import { type AuditEvent, createEvent } from './event.ts'
import { checkProgress, type Progress, placeOf, readProgress, writeProgress } from './progress.ts'
import type { View } from './view.ts'

/** What is told while it runs. */
export interface Watch {
  /** ms that the oldest record waits which is not exported, and how many wait. */
  lag(ms: number, records: number): void
  sent(records: number): void
  /** Undefined: it works (again). */
  failing(why: string | undefined): void
  /** Something else was exported than what exporting itself puts on record. Never rejects. */
  moved(cursor: string, records: number): Promise<void>
}

export interface RunnerOptions {
  readonly name: string
  readonly target: Target
  readonly store: LogStore
  readonly clock: Clock
  readonly log: Log
  readonly watch: Watch
  /** ms between two looks at the log. */
  readonly every: number
  /** Undefined: all. */
  readonly types: ReadonlySet<string> | undefined
  view(reader: LogReader): View
  write(event: AuditEvent): string
}

export interface Runner {
  start(): void
  /** Brings what is left, `ms` at most; then nothing more is sent. */
  close(ms: number): Promise<void>
}

const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 60_000
/** How long until a gateway looks again whether the one that exports has ended. */
const STANDBY_MS = 5000
/** What an export itself leads to. */
const OWN: ReadonlySet<string> = new Set(['export.cursor', 'audit.checkpoint'])

export function createRunner(options: RunnerOptions): Runner {
  const { name, target, store, clock, log, watch, types } = options
  const stopped = new AbortController()
  const { signal } = stopped
  let isLast = false
  let failures = 0
  let wake = (): void => {}
  let running: Promise<void> | undefined

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        if (await follow()) return
        if (isLast) return
        // Another gateway on the same log exports.
        works()
        await pause(STANDBY_MS)
      } catch (error) {
        await failed(error)
      }
    }
  }

  /** Until the end. False where another process has the place. Rejects where the store fails. */
  async function follow(): Promise<boolean> {
    const place = await store.exportPlace(name)
    if (place === undefined) return false
    try {
      const reader = await store.reader()
      try {
        const progress = readProgress(place.state)
        await checkProgress(progress, reader)
        const round = createRound(place, reader, progress)
        for (let isEnd = false; !isEnd && !signal.aborted; ) {
          isEnd = isLast
          await round()
          if (!isEnd && !signal.aborted) await pause(options.every)
        }
        return true
      } finally {
        await reader.close()
      }
    } finally {
      await place.close()
    }
  }

  /** One pass to the end of the log as it is now. */
  function createRound(place: ExportPlace, reader: LogReader, begun: Progress): () => Promise<void> {
    let progress = begun
    const show = options.view(reader)
    const tellLag = async (at: number): Promise<void> => watch.lag(Math.max(0, clock.now() - at), await reader.behind(progress.cursor))
    return async () => {
      let gathered: StoredRecord[] = []
      let bytes = 0
      let cursor = progress.cursor
      const flush = async (): Promise<void> => {
        const last = gathered.at(-1)
        if (last === undefined || cursor === undefined) return
        await tellLag(gathered[0]!.at)
        const chosen = types === undefined ? gathered : gathered.filter(({ type }) => types.has(type))
        await bringAll(chosen, show, tellLag)
        if (signal.aborted) return
        progress = { cursor, last: placeOf(last), at: clock.now(), records: progress.records + chosen.length }
        await place.keep(writeProgress(progress))
        watch.sent(chosen.length)
        if (chosen.some(({ type }) => !OWN.has(type))) await watch.moved(cursor, progress.records)
        gathered = []
        bytes = 0
      }
      for await (const page of reader.forward(signal, progress.cursor)) {
        gathered.push(...page.records)
        for (const { body } of page.records) bytes += body.length
        cursor = page.cursor
        if (gathered.length >= target.limits.records || bytes >= target.limits.bytes) await flush()
        if (signal.aborted) return
      }
      await flush()
      if (signal.aborted) return
      watch.lag(0, 0)
      works()
    }
  }

  /** Resolves when the receiver has them, or nothing more is to be sent. */
  async function bringAll(records: readonly StoredRecord[], show: View, tellLag: (at: number) => Promise<void>): Promise<void> {
    const left = new Map(records.map(record => [`${record.stream}:${record.seq}`, record]))
    while (left.size > 0 && !signal.aborted) {
      // Opened anew for each attempt: who was forgotten since the last one is not named in this one.
      const some = [...left.values()]
      const bodies = await show(some)
      const events = some.map((record, at) => createEvent(record, bodies[at]!))
      for (const batch of split(events, options.write, target.limits)) {
        if (!(await bring(batch, tellLag))) break
        for (const { id } of batch.events) left.delete(id)
      }
    }
  }

  /** True when the receiver has it. */
  async function bring(batch: Batch, tellLag: (at: number) => Promise<void>): Promise<boolean> {
    try {
      await target.deliver(batch, signal)
      works()
      return true
    } catch (error) {
      await tellLag(batch.events[0]!.record.at)
      await failed(error)
      return false
    }
  }

  function works(): void {
    if (failures > 0) log.info('the audit log is exported again', { export: name, to: target.name })
    failures = 0
    watch.failing(undefined)
  }

  async function failed(error: unknown): Promise<void> {
    if (signal.aborted) return
    const why = (error as Error).message
    // At the stop there is no time to wait for better.
    if (isLast) return stopped.abort()
    failures += 1
    if (failures === 1) log.warn('the audit log could not be exported; it is tried again', { export: name, to: target.name, why })
    watch.failing(why)
    // Full jitter: gateways that failed at once do not come again at once.
    await pause(Math.random() * Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 10)))
  }

  function pause(ms: number): Promise<void> {
    if (isLast && failures === 0) return Promise.resolve()
    return new Promise(resolve => {
      const cancel = clock.after(ms, resolve)
      wake = () => {
        cancel()
        resolve()
      }
    })
  }

  return {
    start() {
      running ??= run()
    },
    async close(ms) {
      isLast = true
      wake()
      let cancel = (): void => {}
      const over = new Promise<void>(resolve => {
        cancel = clock.after(ms, resolve)
      })
      await Promise.race([running, over])
      cancel()
      stopped.abort()
      wake()
      await running
    },
  }
}
