// The one writer of a stream: chains records in order, knows when one is durable, and heals after a failed append.
import type { Append, Clock, DurableOutcome, GroupWriter, OutcomePage } from 'mcpgw/plugin'
import { leafOf, linkLeaf } from './chain.ts'
import type { Entry, Stored } from './entry.ts'
import { milliseconds, quote } from './json-text.ts'
import { introduce, type Kept, markStored, openPending, type Pending } from './pending.ts'
import { type Head, ROWS } from './store/log-store.ts'

export interface LedgerOptions {
  readonly writer: GroupWriter
  readonly clock: Clock
  readonly stream: string
  readonly deadline: number
  /** Members that every record of this stream ends with. */
  readonly tail: string
  /** The first record: its `prev` is the last known link of the store. */
  readonly before: string
  /** Reads the stream's head from the store; rejects where it cannot be read. */
  readHead(): Promise<Head | undefined>
  /** Leaf hashes (32 bytes as a binary string) of records that are durable now, in the order of `seq`, each once. */
  onDurable(leaves: readonly string[]): void
  /** The outcomes among them. Every record is in one page. */
  onOutcomes(page: OutcomePage): void
  /** `undefined`: healthy again. */
  onHealth(failing: string | undefined): void
}

export interface Ledger {
  /**
   * Resolves to undefined once durable, else to the reason why that is not known. `rows` go into the same SQL transaction.
   * `keep`: written when the store works again, exactly once, flagged `late`. `offer`: forgotten on failure.
   */
  append(entries: readonly Entry[], onFailure: 'keep' | 'offer', rows?: readonly Append[]): Promise<string | undefined>
  /** False while it is failing: nothing is written then. */
  isTaking(): boolean
  /** Resolves when what is under way is settled and, where that failed, it was tried once more: before the last records, for there is no later. */
  heal(): Promise<void>
  /** Resolves to how many kept entries were never written. */
  close(): Promise<number>
}

const SPOOL_MAX = 10_000
const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 2000
const CLOCK_STEP_MS = 1000

export function createLedger(options: LedgerOptions): Ledger {
  const { writer, clock, stream, deadline } = options
  const start = `\0{"v":2,"stream":${quote(stream)},"seq":`
  let head: Head = { seq: 0, link: options.before }
  let acknowledged = 0
  let wallOffset: number | undefined
  let failing: string | undefined
  let delay = FIRST_RETRY_MS
  let spool: Kept[] = []
  let dropped = 0
  let closed = false
  let cancelWatch: (() => void) | undefined
  let cancelRetry: (() => void) | undefined
  let recovering: Promise<void> | undefined
  let pending: Pending[] = []
  // Of appends of unknown fate, behind the last that was acknowledged.
  let unknown: readonly Pending[] = []
  writer.onFailure?.(error => {
    if (failing === undefined && !closed) fail(error.message)
  })

  function chain(entry: Entry, leaves: string[]): Append {
    const { type, call, at, members } = entry
    const seq = head.seq + 1
    const callId = call === '' ? '' : `,"callId":${quote(call)}`
    const text = `${start}${seq},"type":${quote(type)},"at":${at},"mono":${milliseconds(entry.mono)}${callId}${members}${entry.late ? ',"late":true' : ''}${options.tail}}`
    const leaf = leafOf(text)
    const link = linkLeaf(head.link, leaf)
    leaves.push(leaf)
    const row: Append = { sql: ROWS.record, params: [stream, seq, at, type, call, head.link, link, text.slice(1)] }
    head = { seq, link }
    return row
  }

  /** A step of the wall clock against the monotonic one gets a record of its own, before the record that shows it. */
  function noticeStep({ at, mono }: Entry, leaves: string[]): Append[] {
    const offset = at - mono
    const step = wallOffset === undefined ? 0 : offset - wallOffset
    wallOffset = offset
    if (Math.abs(step) <= CLOCK_STEP_MS) return []
    return [chain({ type: 'clock.step', call: '', at, mono, members: `,"detail":{"stepMs":${Math.round(step)}}` }, leaves)]
  }

  function write(entries: readonly Entry[], keep: boolean, extra: readonly Append[]): Promise<string | undefined> {
    const leaves: string[] = []
    const outcomes: DurableOutcome[] = []
    const subjects: Stored[] = []
    const rows = entries.length === 0 ? [] : noticeStep(entries[entries.length - 1]!, leaves)
    for (const entry of entries) {
      if (entry.subject?.stored === false) introduce(entry.subject, rows, subjects)
      if (entry.about?.stored === false) introduce(entry.about, rows, subjects)
      rows.push(chain(entry, leaves))
      if (entry.end !== undefined) outcomes.push({ ...entry.end, seq: head.seq, callId: entry.call, at: entry.at })
    }
    if (extra.length > 0) rows.push(...extra)
    const durable = writer.append(rows)
    const last = pending.at(-1)
    const group = last?.durable === durable ? last : openGroup(durable)
    group.seq = head.seq
    for (const leaf of leaves) group.leaves.push(leaf)
    for (const outcome of outcomes) group.outcomes.push(outcome)
    for (const subject of subjects) group.subjects.push(subject)
    if (keep) for (const [i, entry] of entries.entries()) group.kept.push({ entry, seq: head.seq - entries.length + 1 + i })
    return group.settled
  }

  function openGroup(durable: Promise<void>): Pending {
    const group = openPending(durable, clock.mono())
    pending.push(group)
    cancelWatch ??= clock.after(deadline, watch)
    durable.then(
      () => {
        const at = pending.indexOf(group)
        if (at < 0) return
        pending.splice(at, 1)
        markStored([group])
        acknowledge(group.seq, group.leaves, group.outcomes)
        group.settle(undefined)
      },
      (error: Error) => {
        if (pending.includes(group)) fail(error.message)
      },
    )
    return group
  }

  function acknowledge(through: number, leaves: readonly string[], outcomes: readonly DurableOutcome[]): void {
    const first = acknowledged + 1
    acknowledged = through
    options.onDurable(leaves)
    if (through >= first) options.onOutcomes({ stream, first, through, outcomes })
  }

  function watch(): void {
    cancelWatch = undefined
    const oldest = pending[0]
    if (oldest === undefined) return
    const left = oldest.since + deadline - clock.mono()
    if (left <= 0) fail(`not durable within ${deadline} ms`)
    else cancelWatch = clock.after(left, watch)
  }

  // Invariant: a failed append is unknown, not absent. From here on nothing is chained until the head has been read from the store.
  function fail(why: string): void {
    failing = why
    const lost = pending
    pending = []
    unknown = unknown.concat(lost)
    for (const { kept } of lost) for (const { entry, seq } of kept) keepEntry(entry, seq)
    for (const one of lost) one.settle(why)
    options.onHealth(why)
    retry()
  }

  function keepEntry(entry: Entry, seq: number | undefined): void {
    if (spool.length < SPOOL_MAX) spool.push({ entry: { ...entry, late: true }, seq })
    else dropped += 1
  }

  function retry(): void {
    if (closed) return
    cancelRetry?.()
    cancelRetry = clock.after(delay, () => void recover())
    delay = Math.min(delay * 2, LAST_RETRY_MS)
  }

  function recover(): Promise<void> {
    recovering ??= tryToRecover().finally(() => {
      recovering = undefined
    })
    return recovering
  }

  async function tryToRecover(): Promise<void> {
    cancelRetry = undefined
    const why = failing ?? ''
    try {
      await writer.recover()
      const stored = closed ? undefined : await options.readHead()
      if (closed) return
      if (stored === undefined || stored.seq < acknowledged) return refuseRegress(stored?.seq ?? 0)
      head = stored
      const there = unknown.filter(({ seq }) => seq <= stored.seq)
      unknown = []
      // Not once more: whoever was erased meanwhile would be there again.
      markStored(there)
      const [leaves, outcomes] = [there.flatMap(one => one.leaves), there.flatMap(one => one.outcomes)]
      acknowledge(stored.seq, leaves, outcomes)
      wallOffset = undefined
    } catch {
      return retry()
    }
    // What is kept while this runs is written in the next round.
    do {
      const late = spool.filter(one => one.seq === undefined || one.seq > head.seq).map(one => one.entry)
      spool = []
      const members = `,"detail":{"why":${quote(why)},"late":${late.length},"dropped":${dropped}}`
      const marker: Entry = { type: 'audit.recovered', call: '', at: clock.now(), mono: clock.mono(), members }
      const written = await Promise.all([late.length === 0 ? undefined : write(late, true, []), write([marker], false, [])])
      // Not healthy yet: the failure has kept the late ones again and set the next attempt.
      if (written.some(failed => failed !== undefined)) return
      dropped = 0
    } while (spool.length > 0)
    delay = FIRST_RETRY_MS
    failing = undefined
    options.onHealth(undefined)
  }

  // Fail closed: what was acknowledged is gone, and continuing would paper over it.
  function refuseRegress(found: number): void {
    const missing = found + 1 === acknowledged ? `record ${acknowledged}` : `records ${found + 1} to ${acknowledged}`
    options.onHealth(`${missing} of stream ${stream} were acknowledged and are missing from the store; keep the file and restart`)
  }

  return {
    append(entries, onFailure, rows = []) {
      if (failing === undefined && !closed) return write(entries, onFailure === 'keep', rows)
      if (onFailure === 'keep') for (const entry of entries) keepEntry(entry, undefined)
      return Promise.resolve(failing ?? 'the log is closed')
    },
    isTaking: () => failing === undefined && !closed,
    async heal() {
      await pending.at(-1)?.settled
      cancelRetry?.()
      if (failing !== undefined) await Promise.race([recover(), new Promise<void>(resolve => void clock.after(deadline, resolve))])
    },
    async close() {
      closed = true
      cancelRetry?.()
      await writer.close()
      cancelWatch?.()
      return spool.length + dropped
    },
  }
}
