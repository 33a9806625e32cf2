// The one loop that takes usage over and bills it: every step can be the last one of the process, and the next process goes on from there.
import { randomBytes } from 'node:crypto'
import type { Clock, Log, Usage } from 'mcpgw/plugin'
import { type Answer, type Billing, type Meters, Unanswered } from './billing.ts'
import type { StripeConfig } from './config.ts'
import { lookForFaults } from './faults.ts'
import { gather } from './gather.ts'
import type { Line } from './line.ts'
import { createQueue } from './queue.ts'
import type { Reporter } from './report.ts'
import { createRoom } from './room.ts'
import { send } from './send.ts'
import { settle } from './settle.ts'
import type { Terms } from './standing.ts'
import type { Outbox, OutboxReader, OutboxWriter, Place } from './store/outbox.ts'

const IDLE_MS = 30_000
const BUSY_MS = 5_000
const HOUR = 3_600_000
/** With BUSY_MS, a tenth of what Stripe allows a second. */
const EVENTS_A_PASS = { v1: 500, v2: 5_000 }
const LONGEST_PAUSE_MS = 300_000
const STEP_MS = 60_000
const PAGE = 1000

export interface WorkerOptions {
  readonly config: StripeConfig
  readonly clock: Clock
  readonly log: Log
  readonly outbox: Outbox
  readonly usage: Usage
  /** Asked for when there is something to bill. */
  readonly connect: () => Promise<Billing>
  readonly report: Reporter
}

export interface Worker {
  start(): void
  /** One round; resolves to the ms until the next one. Never rejects. */
  pass(): Promise<number>
  /** What is on its way is waited for, or left as of unknown fate. */
  stop(): Promise<void>
}

export function createWorker({ config, clock, log, outbox, usage, connect, report }: WorkerOptions): Worker {
  const ending = new AbortController()
  const { signal } = ending
  let lead: { readonly writer: OutboxWriter; readonly reader: OutboxReader; readonly id: string; readonly since: number } | undefined
  let billing: Billing | undefined
  let known: { readonly meters: Meters; readonly at: number } | undefined
  let running: Promise<number> | undefined
  let cancel: (() => void) | undefined
  let failures = 0
  let quietUntil = 0
  let trouble: string | undefined
  // A window is taken over when its grace is over; a day more, for gateways stand still at times.
  const taken = usage.hold('stripe', config.grace + 24 * HOUR)
  const room = createRoom(clock, config.alarm.lines)
  const queue = createQueue()
  const faults = new Map<string, string>()
  // Of wall clock against monotonic: where it falls, the wall clock was set back.
  const now = (): number => Math.floor(clock.now())
  let offset = now() - clock.mono()

  const terms = (): Terms => ({ config, since: lead?.since ?? 0, now: now() })

  async function takeLead(): Promise<boolean> {
    const writer = await outbox.lead()
    if (writer === undefined) return false
    try {
      const reader = await outbox.reader()
      const notes = await reader.notes()
      const { outbox: id = randomBytes(8).toString('hex') } = notes
      // A dry run that came before begins nothing; one that comes after ends nothing.
      const isFirst = notes.began === undefined || (notes.dry === 'yes' && !config.dryRun)
      const began = isFirst ? String(now()) : notes.began!
      await writer.commit({ notes: { outbox: id, began, ...(isFirst && { dry: config.dryRun ? 'yes' : 'no' }) } })
      lead = { writer, reader, id, since: config.since ?? Number(began) }
      return true
    } catch (error) {
      await writer.close()
      throw error
    }
  }

  async function dropLead(): Promise<void> {
    const { writer, reader } = lead ?? {}
    lead = undefined
    await reader?.close()
    await writer?.close()
  }

  /** What is durable here need not be kept there any more. */
  async function tellTaken(reader: OutboxReader, isOwn: boolean): Promise<void> {
    const { cursor } = await reader.notes()
    if (isOwn) await reader.close()
    if (cursor !== undefined) taken(cursor)
  }

  /** A clock that was set back makes old attempts look young: they are not repeated then, but looked for in what Stripe summed up. */
  async function watchClock(): Promise<void> {
    const found = now() - clock.mono()
    const isBack = offset - found > STEP_MS
    offset = isBack ? found : Math.max(offset, found)
    if (!isBack) return
    const { reader, writer } = lead!
    let at: Place | undefined
    do {
      const { lines, next } = await reader.open(at, PAGE)
      await writer.commit({ attempts: lines.map(({ attempt, ...line }) => ({ ...line, attempt: { ...attempt, unsure: 0 } })) })
      at = next
    } while (at !== undefined)
    log.warn('the clock was set back: events of unknown fate are not repeated, but looked for in the sums of Stripe')
  }

  function onAnswer(answer: Answer, lines: readonly Line[]): void {
    report.answered(answer.kind, lines)
    if (answer.kind === 'later') pause(answer.why, answer.after)
    else recover()
    if (answer.kind === 'refused') log.warn('Stripe refuses an event', { line: lines[0]!.id, meter: lines[0]!.event, why: answer.why })
  }

  function recover(): void {
    failures = 0
    quietUntil = 0
    trouble = undefined
  }

  function pause(why: string, after = 0): void {
    failures += 1
    quietUntil = clock.mono() + Math.max(after, Math.random() * Math.min(LONGEST_PAUSE_MS, 1000 * 2 ** Math.min(failures, 20)))
    trouble = why
  }

  /** True where there is more to do. */
  async function bill(): Promise<boolean> {
    const { writer, reader, id } = lead!
    const { lines: due, isMore } = await queue.due(reader, terms(), EVENTS_A_PASS[config.api])
    const stale = await queue.stale(reader, now())
    const isDue = known === undefined || clock.mono() - known.at >= HOUR
    if (due.length === 0 && stale.length === 0 && !isDue) return isMore
    billing ??= await connect()
    if (known === undefined || isDue) await learnMeters(billing)
    const { meters } = known!
    const isUsable = ({ event }: Line): boolean => meters.has(event) && meters.get(event)?.fault === undefined
    await refuse(due.filter(line => !isUsable(line)))
    await send(due.filter(isUsable), { outbox: id, billing, meters, writer, terms, signal, onAnswer })
    await settle(stale, {
      billing,
      meters,
      reader,
      writer,
      now,
      signal,
      onSettled: ({ id: line }, fate) => log.info('an event of unknown fate', { line, fate }),
    })
    return isMore
  }

  /** Each hour. Where Stripe does not say, what was known stays. */
  async function learnMeters(from: Billing): Promise<void> {
    const at = clock.mono()
    try {
      known = { meters: await from.meters(), at }
      await lookForFaults({
        billing: from,
        meters: known.meters,
        events: config.meters.map(({ event }) => event),
        reader: lead!.reader,
        writer: lead!.writer,
        now,
        onFault: (event, why) => (why === undefined ? faults.delete(event) : faults.set(event, why)),
      })
      recover()
    } catch (error) {
      if (known === undefined || !(error instanceof Unanswered)) throw error
      known = { ...known, at }
    }
  }

  /** Without a meter there is nothing to ask Stripe. An attempt that is open stays so. */
  async function refuse(lines: readonly Line[]): Promise<void> {
    const attempts = lines.map(({ id, sent, event, attempt }) => {
      const error = known?.meters.get(event)?.fault ?? 'the account has no meter for this event'
      return { id, sent, attempt: { ...attempt, error, next: now() + HOUR } }
    })
    if (attempts.length > 0) await lead!.writer.commit({ attempts })
    known = attempts.length > 0 ? undefined : known
  }

  async function round(): Promise<number> {
    try {
      if (lead === undefined && !(await takeLead())) {
        report.follow()
        await tellTaken(await outbox.reader(), true)
        return IDLE_MS
      }
      const { reader, writer } = lead!
      if (room.left() === undefined) await room.count(reader, terms(), signal)
      const left = room.left() ?? 0
      const gathering = { usage, rules: config, since: lead!.since, room: left, reader, writer, signal }
      if (left > 0) room.take(await gather(gathering, now() - config.grace))
      await tellTaken(reader, false)
      let isBusy = false
      await watchClock()
      if (!config.dryRun && !signal.aborted && clock.mono() >= quietUntil) {
        try {
          isBusy = await bill()
        } catch (error) {
          if (!(error instanceof Unanswered)) throw error
          pause(error.message, error.after)
        }
      }
      report.tell(await room.count(reader, terms(), signal), { stripe: trouble, faults })
      if (trouble !== undefined) return Math.ceil(Math.min(IDLE_MS, Math.max(1000, quietUntil - clock.mono())))
      return isBusy ? BUSY_MS : IDLE_MS
    } catch (error) {
      if (!signal.aborted) report.fail((error as Error).message)
      await dropLead().catch(() => {})
      return IDLE_MS
    }
  }

  function pass(): Promise<number> {
    running ??= round().finally(() => {
      running = undefined
    })
    return running
  }

  return {
    pass,
    start() {
      const turn = async (): Promise<void> => {
        const wait = await pass()
        if (!signal.aborted) cancel = clock.after(wait, () => void turn())
      }
      void turn()
    },
    async stop() {
      ending.abort()
      cancel?.()
      // Requests end with their connections.
      await billing?.close()
      await running
      await dropLead()
      await outbox.close()
    },
  }
}
