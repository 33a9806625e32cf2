// What the hooks of plugins take, by plugin and hook.
import type { Site } from '../guard.ts'
import type { CoreMetrics } from '../metrics.ts'
import type { Distribution } from './distribution.ts'

const BOUNDS = [1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.05, 0.1, 0.5, 1, 5]

export function timeHooks(core: CoreMetrics): (site: Site, ms: number) => void {
  const seconds = core.histogram('hook_duration_seconds', 'From the call of a hook to its verdict.', BOUNDS, ['plugin', 'hook'])
  // A site is made once for each hook of each plugin.
  const cells = new Map<Site, Distribution>()
  return (site, ms) => {
    let cell = cells.get(site)
    if (cell === undefined) {
      cell = seconds.at({ plugin: site.plugin, hook: site.hook })
      cells.set(site, cell)
    }
    cell.observe(ms / 1000)
  }
}
