// How many clients there are and what they wait for, as metrics: counted when somebody looks, so that no call pays for it.
import type { Session } from '../downstream/session.ts'
import type { MetricsRegistry } from '../metrics.ts'
import type { SessionStore } from './sessions.ts'

export function showSessions(
  { core, beforeRender }: Pick<MetricsRegistry, 'core' | 'beforeRender'>,
  sessions: Pick<SessionStore, 'all'>,
): void {
  const open = core.gauge('sessions', 'Sessions of clients; modern: stateless clients of which something is kept.', ['era'])
  const underWay = core.gauge('requests_under_way', 'Requests of clients that are not answered yet.')
  const streams = core.gauge('streams', 'Event streams on which clients listen.')
  beforeRender(() => {
    const count = { legacy: 0, modern: 0, underWay: 0, streams: 0 }
    for (const session of sessions.all()) {
      count[session.era]++
      count.underWay += session.inflight.size
      count.streams += streamsOf(session)
    }
    open.set(count.legacy, { era: 'legacy' })
    open.set(count.modern, { era: 'modern' })
    underWay.set(count.underWay)
    streams.set(count.streams)
  })
}

function streamsOf({ stream, listeners }: Session): number {
  return listeners.size + (stream?.open === true && stream.away !== true ? 1 : 0)
}
