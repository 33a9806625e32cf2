// Which lines are tried in a pass: some of those that can be, and in the next pass the ones behind them.
import type { Line } from './line.ts'
import type { Terms } from './standing.ts'
import type { DuePart, OutboxReader, Place } from './store/outbox.ts'

export interface Queue {
  /** At most `most` to be sent; what was tried last comes last, so that it is in nobody's way. `isMore`: not all were looked through. */
  due(reader: OutboxReader, terms: Terms, most: number): Promise<{ readonly lines: readonly Line[]; readonly isMore: boolean }>
  /** Some of unknown fate that only the sums of Stripe can tell of. */
  stale(reader: OutboxReader, now: number): Promise<readonly Line[]>
}

const MOST_STALE = 100

export function createQueue(): Queue {
  const places = new Map<DuePart | 'stale', Place | undefined>()
  return {
    async due(reader, terms, most) {
      const lines: Line[] = []
      let isMore = false
      for (const [part, share] of [
        ['started', most / 4],
        ['credit', most / 4],
        ['owed', most],
      ] as const) {
        const found = await reader.due(part, places.get(part), terms, Math.min(Math.ceil(share), most - lines.length))
        places.set(part, found.next)
        lines.push(...found.lines)
        isMore ||= found.next !== undefined
      }
      return { lines: lines.toSorted((a, b) => a.attempt.tried - b.attempt.tried), isMore }
    },
    async stale(reader, now) {
      const { lines, next } = await reader.stale(places.get('stale'), now, MOST_STALE)
      places.set('stale', next)
      return lines
    },
  }
}
