// What the gates count, as metrics: read when somebody looks, so that no call pays for it.
import type { MetricsRegistry } from '../metrics.ts'
import type { ServerBoard } from './board.ts'
import type { BreakerState } from './breaker.ts'

const STATES: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 1, open: 2 }

export function showGates(metrics: Pick<MetricsRegistry, 'core' | 'beforeRender'>, board: ServerBoard): void {
  const { core } = metrics
  const underWay = core.gauge('server_calls_under_way', 'Calls that a server has not answered yet.', ['server'])
  const waiting = core.gauge('server_calls_waiting', 'Calls that wait for a place at a server.', ['server'])
  const breaker = core.gauge('server_breaker', 'Circuit breaker of a server: 0 closed, 1 half-open, 2 open.', ['server'])
  const refused = core.counter('server_calls_refused_total', 'Calls that were not sent, by code.', ['server', 'code'])
  const late = core.counter('server_late_answers_total', 'Answers and progress that came when nobody waited any more; dropped.', ['server'])
  const shown = new Map<string, { busy: number; refused: number; late: number }>()
  metrics.beforeRender(() => {
    for (const { server, calls } of board.list()) {
      const before = shown.get(server) ?? { busy: 0, refused: 0, late: 0 }
      underWay.set(calls.underWay, { server })
      waiting.set(calls.waiting, { server })
      breaker.set(STATES[calls.breaker], { server })
      refused.inc({ server, code: 'upstream-busy' }, calls.busy - before.busy)
      refused.inc({ server, code: 'upstream-unavailable' }, calls.refused - before.refused)
      late.inc({ server }, calls.late - before.late)
      shown.set(server, calls)
    }
  })
}
