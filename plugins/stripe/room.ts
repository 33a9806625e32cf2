// How much more usage the outbox takes over: as much as is left beside what is to be sent. What cannot be sent takes no room from others.
import type { Clock } from 'mcpgw/plugin'
import type { Terms } from './standing.ts'
import type { OutboxReader, Tally } from './store/outbox.ts'

export interface Room {
  /** Counts anew where it is time; else what was counted last. */
  count(reader: OutboxReader, terms: Terms, signal: AbortSignal): Promise<Tally>
  /** Lines that may be added; undefined before the first count. */
  left(): number | undefined
  /** So many were. */
  take(lines: number): void
}

/** With a million lines a count takes seconds, in slices: of the time, no more than this share. */
const SHARE = 1 / 50

/** Lines that could be sent, and are not yet. */
export const waitingOf = ({ lines }: Tally): number => lines.waiting + lines.open

export function createRoom(clock: Clock, most: number): Room {
  let counted: Tally | undefined
  let taken = 0
  let next = Number.NEGATIVE_INFINITY
  return {
    async count(reader, terms, signal) {
      const began = clock.mono()
      if (counted !== undefined && began < next) return counted
      counted = await reader.tally(terms, signal)
      taken = 0
      next = clock.mono() + (clock.mono() - began) / SHARE
      return counted
    },
    left: () => (counted === undefined ? undefined : most - waitingOf(counted) - taken),
    take(lines) {
      taken += lines
    },
  }
}
