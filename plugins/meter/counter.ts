// Counts every outcome once: gathers what is told live, writes it off the path of a call, and reads from the log whatever it was not told.
import type { Clock, DurableOutcome, Log, OutcomePage, Outcomes } from 'mcpgw/plugin'
import type { Additions, UsageStore } from './store/usage-store.ts'

export interface CounterOptions {
  readonly outcomes: Outcomes
  readonly store: UsageStore
  readonly clock: Clock
  readonly log: Log
  readonly tally: (outcomes: readonly DurableOutcome[]) => Additions
  /** These are durable in the store, and were not before. */
  readonly onCounted?: (outcomes: readonly DurableOutcome[]) => void
  /** `undefined`: counting works again. */
  readonly onHealth: (why: string | undefined) => void
  /** Records that went from the log before they were counted. */
  readonly onLost: (records: number) => void
}

export interface Counter {
  /** Counts all that is not counted yet, from the log where need be; false where it did not come so far. */
  flush(): Promise<boolean>
  /** After a flush, runs `work` before more is counted here; false, and it is not run, where the flush did not come so far. Rejects as `work` does. */
  flushThen(work: () => Promise<void>): Promise<boolean>
  start(): void
  /** After a last flush. */
  stop(): Promise<void>
}

const FLUSH_MS = 1000
const CATCH_UP_MS = 60_000
const MOST_GATHERED = 20_000
// Rows of one step are written in one go: few enough not to hold up the calls beside it.
const STEP = 1000
const PLACE_EVERY = 100
const CLOCK_STEP_MS = 1000

export function createCounter(options: CounterOptions): Counter {
  const { outcomes, store, clock, log, onHealth } = options
  const through = new Map<string, number>()
  const latest = new Map<string, number>()
  const stopping = new AbortController()
  // Told and not counted, without gaps. `isBehind`: the log has more than that.
  let gathered: { first: number; through: number; outcomes: DurableOutcome[] } | undefined
  let isBehind = true
  let caughtUpAt = Number.NEGATIVE_INFINITY
  let work: Promise<unknown> = Promise.resolve()
  let failing: string | undefined
  let cancelTick: (() => void) | undefined

  outcomes.listen(page => {
    if (gathered !== undefined && gathered.outcomes.length + page.outcomes.length > MOST_GATHERED) {
      // The log has them.
      gathered = undefined
      isBehind = true
    }
    if (gathered === undefined) gathered = { first: page.first, through: page.through, outcomes: [...page.outcomes] }
    else {
      gathered.through = page.through
      for (const outcome of page.outcomes) gathered.outcomes.push(outcome)
    }
  })

  /** One after the other; a failure is told, and leaves what is not counted to the next attempt. */
  function inTurn(job: () => Promise<void>): Promise<boolean> {
    const done = work.then(async () => {
      try {
        await job()
        if (failing !== undefined) {
          log.info('usage is counted again')
          failing = undefined
          onHealth(undefined)
        }
        return true
      } catch (error) {
        const why = (error as Error).message
        isBehind = true
        if (stopping.signal.aborted) return false
        if (failing === undefined) log.error('usage cannot be counted; it will be, from the audit log', { why })
        if (failing !== why) onHealth(why)
        failing = why
        return false
      }
    })
    work = done
    return done
  }

  async function readOn(): Promise<void> {
    isBehind = false
    const counted = await store.counted()
    through.clear()
    for (const [stream, seq] of counted.through) through.set(stream, seq)
    for (const [stream, at] of counted.latest) latest.set(stream, at)
    // What was taken out of the log before there was a meter is not missed.
    const isFirst = counted.through.size === 0
    const others = new Set<string>()
    let [read, last] = [0, counted.place]
    for await (const { pages, place } of outcomes.read(counted, stopping.signal)) {
      for (const page of pages) if (!others.has(page.stream) && !(await count(page, !isFirst))) others.add(page.stream)
      read += 1
      if (others.size === 0) last = place
      if (read % PLACE_EVERY === 0) await keepPlace(last)
    }
    if (last !== counted.place) await keepPlace(last)
    if (others.size === 0 && !stopping.signal.aborted) caughtUpAt = clock.mono()
    else isBehind = true
  }

  const keepPlace = async (place: string | undefined): Promise<void> => (place ? store.keepPlace(place) : undefined)

  /** False where somebody else has counted some of it. */
  async function count(page: OutcomePage, isMissed: boolean): Promise<boolean> {
    let after = through.get(page.stream) ?? 0
    const fresh = page.outcomes.filter(({ seq }) => seq > after)
    const missing = isMissed && page.first > after + 1 ? { stream: page.stream, first: after + 1, last: page.first - 1 } : undefined
    for (let from = 0; after < page.through; from += STEP) {
      const part = fresh.slice(from, from + STEP)
      const isLast = from + STEP >= fresh.length
      const to = isLast ? page.through : part.at(-1)!.seq
      const at = notice(page.stream, part)
      const lost = from === 0 ? missing : undefined
      if (!(await store.add({ stream: page.stream, after, through: to, at, ...options.tally(part), lost }))) return false
      options.onCounted?.(part)
      if (lost !== undefined) options.onLost(lost.last - lost.first + 1)
      through.set(page.stream, to)
      after = to
    }
    return true
  }

  /** The latest time among them. Windows go by the wall clock of the record: where it was set back, what follows is in windows before. */
  function notice(stream: string, part: readonly DurableOutcome[]): number {
    let last = latest.get(stream) ?? 0
    for (const { at, seq } of part) {
      if (last - at > CLOCK_STEP_MS)
        log.warn('the clock of the gateway was set back; usage is in the windows of the time it showed', { stream, seq })
      last = at
    }
    latest.set(stream, last)
    return part.reduce((most, { at }) => (Number.isSafeInteger(at) ? Math.max(most, at) : most), 0)
  }

  async function countGathered(): Promise<void> {
    const page = gathered
    gathered = undefined
    if (page === undefined) return
    const known = through.get(outcomes.stream) ?? 0
    const isNext = page.first <= known + 1 && (await count({ stream: outcomes.stream, ...page }, false))
    if (!isNext && !stopping.signal.aborted) await readOn()
  }

  async function countAll(): Promise<void> {
    if (!stopping.signal.aborted && (isBehind || clock.mono() - caughtUpAt > CATCH_UP_MS)) await readOn()
    await countGathered()
  }

  const flush = (): Promise<boolean> => inTurn(countAll)

  async function flushThen(job: () => Promise<void>): Promise<boolean> {
    let failed: { readonly cause: unknown } | undefined
    const isDone = await inTurn(async () => {
      await countAll()
      // What fails here is no failure to count.
      await job().catch((cause: unknown) => {
        failed = { cause }
      })
    })
    if (failed !== undefined) throw failed.cause
    return isDone
  }

  function tick(): void {
    cancelTick = clock.after(FLUSH_MS, () => void flush().then(() => stopping.signal.aborted || tick()))
  }

  return {
    flush,
    flushThen,
    start: tick,
    async stop() {
      cancelTick?.()
      stopping.abort()
      await (isBehind ? work : flush())
    },
  }
}
