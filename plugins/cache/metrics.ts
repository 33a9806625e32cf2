// What operators see of the cache.
import type { Metrics } from 'mcpgw/plugin'
import type { Unkept } from './lifetime.ts'
import type { Gone } from './shelf.ts'

export interface Counts {
  answered(how: 'hit' | 'stale', server: string): void
  missed(server: string): void
  unkept(why: Unkept, server: string): void
  gone(why: Gone): void
  changed(server: string): void
  room(entries: number, bytes: number): void
}

export function createCounts(metrics: Metrics): Counts {
  const hits = metrics.counter('hits_total', 'Answers given from what is kept.', ['server'])
  const stale = metrics.counter('stale_total', 'Answers that had ended and stood in for a server that could not be reached.', ['server'])
  const misses = metrics.counter('misses_total', 'Requests under a rule for which nothing fresh was kept.', ['server'])
  const unkept = metrics.counter('not_kept_total', 'Answers under a rule that were not kept, by reason.', ['server', 'why'])
  const evictions = metrics.counter('evictions_total', 'Answers that are no longer kept: full, or ended.', ['why'])
  const changes = metrics.counter('server_changes_total', 'Changes of a server after which nothing that was kept of it is given.', [
    'server',
  ])
  const entries = metrics.gauge('entries', 'Answers that are kept.')
  const bytes = metrics.gauge('bytes', 'Memory that is counted for them.')
  return {
    answered: (how, server) => (how === 'hit' ? hits : stale).inc({ server }),
    missed: server => misses.inc({ server }),
    unkept: (why, server) => unkept.inc({ server, why }),
    gone: why => evictions.inc({ why }),
    changed: server => changes.inc({ server }),
    room(size, used) {
      entries.set(size)
      bytes.set(used)
    },
  }
}
