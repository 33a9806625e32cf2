// Finds out what became of events whose fate stayed unknown longer than Stripe knows identifiers: by what Stripe has summed up for the window.
import { count, giveUp, leave } from './attempt.ts'
import { type Billing, type Meters, Unanswered } from './billing.ts'
import type { Line } from './line.ts'
import { isRepeatable, SUMMED_MS } from './standing.ts'
import type { OutboxReader, OutboxWriter } from './store/outbox.ts'

/** Beyond it, too many sums are possible to tell anything. */
const MOST_OTHERS = 10
/** In one round: Stripe may be away altogether. */
const MOST_FAILURES = 3

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

/** Rejects where the outbox does not work, and, when all others are settled, where Stripe did not tell of one: it is in nobody's way. */
export async function settle(lines: readonly Line[], { billing, meters, reader, writer, now, signal, onSettled }: Settling): Promise<void> {
  let unanswered: Unanswered | undefined
  let failures = 0
  for (const line of lines) {
    if (failures >= MOST_FAILURES) break
    const { attempt } = line
    if (attempt.state !== 'open' || isRepeatable(attempt, now()) || isFresh(line, now())) continue
    const meter = meters.get(line.event)
    if (meter === undefined || signal.aborted) continue
    const near = await reader.beside(line)
    if (near.some(one => isFresh(one, now()))) continue
    let sum: number
    try {
      sum = await billing.sum(meter, attempt.customer, line.start, line.end)
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error
      unanswered = error
      failures += 1
      continue
    }
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
  if (unanswered !== undefined) throw unanswered
}

/** What was sent for it may not be in the sums yet. */
const isFresh = ({ attempt: { tried } }: Line, now: number): boolean => now >= tried && now - tried < SUMMED_MS

/** `inWindow`: all lines whose events are in the sum, this one among them. It is known where only one of both would give the sum. */
export function decideFate(line: Line, inWindow: readonly Line[], sum: number): Fate {
  const others = inWindow.filter(one => one.id !== line.id && one.attempt.state !== 'idle')
  if (others.length > MOST_OTHERS) return 'unknown'
  let possible = new Set([inWindow.reduce((total, { sent }) => total + sent, 0)])
  for (const other of others) possible = new Set([...possible].flatMap(total => [total, total + effectOf(other)]))
  const isIn = possible.has(sum - effectOf(line))
  const isOut = possible.has(sum)
  return isIn === isOut ? 'unknown' : isIn ? 'counted' : 'not-counted'
}

const effectOf = ({ attempt: { kind, value } }: Line): number => (kind === 'event' ? value : -value)
