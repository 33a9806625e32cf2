// Finds out what became of events whose fate stayed unknown longer than Stripe knows identifiers: by what Stripe has summed up for the window.
import { count, giveUp, leave } from './attempt.ts'
import type { Billing, Meters } from './billing.ts'
import { type Line, timestampOf } from './line.ts'
import { isRepeatable } from './standing.ts'
import type { OutboxReader, OutboxWriter } from './store/outbox.ts'

/** Stripe sums up with a delay; what was sent longer ago is in the sum. */
const SUMMED_MS = 3_600_000
const DAY_MS = 24 * 3_600_000
/** Beyond it, too many sums are possible to tell anything. */
const MOST_OTHERS = 10

export interface Settling {
  readonly billing: Billing
  readonly meters: Meters
  readonly reader: OutboxReader
  readonly writer: OutboxWriter
  readonly now: () => number
  readonly signal: AbortSignal
  readonly onSettled: (line: Line, fate: Fate) => void
}

export type Fate = 'counted' | 'not-counted' | 'unknown'

/** Rejects where Stripe or the outbox cannot be asked. */
export async function settle(lines: readonly Line[], { billing, meters, reader, writer, now, signal, onSettled }: Settling): Promise<void> {
  for (const line of lines) {
    const { attempt } = line
    const since = now() - attempt.tried
    if (attempt.state !== 'open' || isRepeatable(attempt, now()) || (since >= 0 && since < SUMMED_MS)) continue
    const meter = meters.get(line.event)
    if (meter === undefined || signal.aborted) continue
    const near = await reader.within(line.start - DAY_MS, line.end)
    const sum = await billing.sum(meter, attempt.customer, line.start, line.end)
    const fate = decideFate(line, near, sum)
    const after =
      fate === 'counted'
        ? count(line, now())
        : fate === 'not-counted'
          ? giveUp(line)
          : leave(line, `Stripe has ${sum} for the window, from which it does not follow whether this event is in it`)
    await writer.commit({ attempts: [after] })
    onSettled(line, fate)
  }
}

/** `near`: all lines that may have events in the window, this one among them. It is known where only one of both would give the sum. */
export function decideFate(line: Line, near: readonly Line[], sum: number): Fate {
  const { customer } = line.attempt
  const inWindow = near.filter(
    one =>
      one.event === line.event &&
      one.attempt.customer === customer &&
      timestampOf(one) * 1000 >= line.start &&
      timestampOf(one) * 1000 < line.end,
  )
  const others = inWindow.filter(one => one.id !== line.id && one.attempt.state !== 'idle')
  if (others.length > MOST_OTHERS) return 'unknown'
  let possible = new Set([inWindow.reduce((total, { sent }) => total + sent, 0)])
  for (const other of others) possible = new Set([...possible].flatMap(total => [total, total + effectOf(other)]))
  const isIn = possible.has(sum - effectOf(line))
  const isOut = possible.has(sum)
  return isIn === isOut ? 'unknown' : isIn ? 'counted' : 'not-counted'
}

const effectOf = ({ attempt: { kind, value } }: Line): number => (kind === 'event' ? value : -value)
