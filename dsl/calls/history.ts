// A history that is known as a whole: the one that a test or a call in JSON tells.
import type { EventMatcher, History } from '../facts.ts'

export interface PastEvent {
  readonly action: EventMatcher['action']
  readonly server: string
  /** A normalised uri for `read`. */
  readonly name: string
  /** Milliseconds since 1970. */
  readonly at: number
}

/** What comes after `until` has not happened yet. */
export function createHistory(events: readonly PastEvent[], until: Date): History {
  const past = events.filter(({ at }) => at <= until.getTime())
  return {
    lastMatch(matcher, since) {
      const times = past
        .filter(one => one.at >= since && one.action === matcher.action && matcher.matches(one.server, one.name))
        .map(({ at }) => at)
      return times.length === 0 ? undefined : Math.max(...times)
    },
  }
}
