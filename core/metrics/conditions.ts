// How the components are, as a metric: read when somebody looks.
import type { Health, Status } from '../health.ts'
import type { MetricsRegistry } from '../metrics.ts'

const VALUES: Readonly<Record<Status, number>> = { ok: 0, degraded: 1, failing: 2 }

export function showConditions({ core, beforeRender }: MetricsRegistry, health: Pick<Health, 'view'>): void {
  const shown = core.gauge('health', 'How each component is: 0 ok, 1 degraded, 2 failing.', ['component'])
  beforeRender(() => {
    for (const { name, status } of health.view().components) shown.set(VALUES[status], { component: name })
  })
}
