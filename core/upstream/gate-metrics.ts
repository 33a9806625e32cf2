// What the gates count, as metrics: read when somebody looks, so that no call pays for it.
import { placeOf } from '../config/places.ts'
import type { Labels } from '../metrics/text.ts'
import type { MetricsRegistry } from '../metrics.ts'
import type { ServerBoard } from './board.ts'
import type { BreakerState } from './breaker.ts'
import type { GateView } from './gate.ts'

const STATES: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 1, open: 2 }

/** Not `instance`: that is the gateway's own label in Prometheus. */
const ONE = ['server', 'server_version', 'server_instance']

export function showGates(metrics: Pick<MetricsRegistry, 'core' | 'beforeRender'>, board: ServerBoard): void {
  const { core } = metrics
  const underWay = core.gauge('server_calls_under_way', 'Calls that a server has not answered yet.', ONE)
  const waiting = core.gauge('server_calls_waiting', 'Calls that wait for a place at a server.', ONE)
  const breaker = core.gauge('server_breaker', 'Circuit breaker of a server: 0 closed, 1 half-open, 2 open.', ONE)
  const refused = core.counter('server_calls_refused_total', 'Calls that were not sent, by code.', [...ONE, 'code'])
  const late = core.counter('server_late_answers_total', 'Answers and progress that came when nobody waited any more; dropped.', ONE)
  const shown = new Map<string, { readonly calls: GateView; readonly labels: Labels }>()
  metrics.beforeRender(() => {
    const servers = board.list()
    const there = new Set(servers.map(({ server, version, instance }) => placeOf({ id: server, version, instance })))
    for (const [place, { labels }] of shown) {
      if (there.has(place)) continue
      for (const gauge of [underWay, waiting, breaker]) gauge.set(0, labels)
      shown.delete(place)
    }
    for (const { server, version, instance, calls } of servers) {
      const one = { server, server_version: version ?? '', server_instance: instance === undefined ? '' : String(instance) }
      const place = placeOf({ id: server, version, instance })
      const before = shown.get(place)?.calls ?? { busy: 0, refused: 0, late: 0 }
      underWay.set(calls.underWay, one)
      waiting.set(calls.waiting, one)
      breaker.set(STATES[calls.breaker], one)
      refused.inc({ ...one, code: 'upstream-busy' }, calls.busy - before.busy)
      refused.inc({ ...one, code: 'upstream-unavailable' }, calls.refused - before.refused)
      late.inc(one, calls.late - before.late)
      shown.set(place, { calls, labels: one })
    }
  })
}
