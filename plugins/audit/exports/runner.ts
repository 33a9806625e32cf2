// One export: reads behind its cursor, brings batch after batch, and moves the cursor once the receiver has them. What fails is tried until it works.
import type { Clock, Log } from 'mcpgw/plugin'
import type { ExportPlace, LogReader, LogStore, StoredRecord } from '../store/log-store.ts'
import { type Batch, bringTo, byStream, fill, Refused, type Target } from './batch.ts'
import type { AuditEvent } from './event.ts'
import { checkProgress, type Progress, placeOf, readProgress, writeProgress } from './progress.ts'
import type { View } from './view.ts'
import type { Watch } from './watch.ts'

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
/** However long a receiver asks to wait. */
const LONGEST_WAIT_MS = 600_000
/** How long until a gateway looks again whether the one that exports has ended. */
const STANDBY_MS = 5000
/** What an export itself leads to. */
const OWN: ReadonlySet<string> = new Set(['export.cursor', 'export.rejected', 'audit.checkpoint'])
const hasOther = (records: readonly { readonly type: string }[]): boolean => records.some(({ type }) => !OWN.has(type))

/** Of what the batches of one run share. */
interface Course {
  readonly show: View
  /** `at`: of the oldest record that waits. */
  tellLag(at: number): Promise<void>
  /** Never rejects. */
  onFailure(why: string): Promise<void>
}

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
    const course: Course = {
      show: options.view(reader),
      tellLag: async at => watch.lag(Math.max(0, clock.now() - at), await reader.behind(progress.cursor)),
      async onFailure(why) {
        if (progress.failing?.why === why) return
        const told = { ...progress, failing: { since: progress.failing?.since ?? clock.now(), why } }
        // For `audit exports` alone: where it cannot be kept, the next failure tries again.
        await place.keep(writeProgress(told)).then(
          () => {
            progress = told
          },
          () => {},
        )
      },
    }
    return async () => {
      let gathered: StoredRecord[] = []
      let bytes = 0
      let cursor = progress.cursor
      const flush = async (): Promise<void> => {
        const last = gathered.at(-1)
        if (last === undefined || cursor === undefined) return
        await course.tellLag(gathered[0]!.at)
        const chosen = types === undefined ? gathered : gathered.filter(({ type }) => types.has(type))
        const rejected = await bringAll(chosen, course)
        if (signal.aborted) return
        progress = {
          cursor,
          last: placeOf(last),
          at: clock.now(),
          records: progress.records + chosen.length,
          rejected: progress.rejected + rejected,
          failing: undefined,
        }
        await place.keep(writeProgress(progress))
        watch.sent(chosen.length - rejected)
        if (hasOther(chosen)) await watch.moved(cursor, progress.records)
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

  /** Resolves when the receiver has them, or nothing more is to be sent, to how many of them it rejected. */
  async function bringAll(records: readonly StoredRecord[], course: Course): Promise<number> {
    let rejected = 0
    for (const some of byStream(records))
      for (let done = 0; done < some.length && !signal.aborted; ) {
        // Opened anew for each attempt: who was forgotten since the last one is not named in this one.
        const batch = await fill(done === 0 ? some : some.slice(done), course.show, options.write, target.limits)
        const count = await bring(batch, course)
        if (count === undefined) continue
        rejected += count
        done += batch.events.length
      }
    return rejected
  }

  /** How many of them the receiver rejected; undefined: it is not known to have them. */
  async function bring(batch: Batch, { tellLag, onFailure }: Course): Promise<number | undefined> {
    try {
      const rejected = await bringTo(target, batch, signal)
      works()
      await tellRejected(batch, rejected)
      return rejected
    } catch (error) {
      await tellLag(batch.events[0]!.record.at)
      if (!signal.aborted) await onFailure((error as Error).message)
      await failed(error)
      return undefined
    }
  }

  /** What exporting itself puts on record leads to no further record. */
  async function tellRejected(batch: Batch, count: number): Promise<void> {
    const { stream, from, to, events } = batch
    if (count > 0)
      log.warn('a receiver rejected records of the audit log', { export: name, to: target.name, stream, from, through: to, count })
    if (events.some(({ record }) => !OWN.has(record.type))) await watch.rejected(batch, count)
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
    const spread = Math.random() * Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 10))
    await pause(error instanceof Refused ? Math.max(spread, Math.min(error.after, LONGEST_WAIT_MS)) : spread)
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
