// The process as metrics: memory, CPU, and how late the event loop is.
import { performance } from 'node:perf_hooks'
import type { MetricsRegistry } from '../metrics.ts'
import type { Clock } from '../plugin/index.ts'

const EVERY_MS = 100
const BOUNDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]

/** Ten times a second a timer is looked at for how late it is, and `onLook` is told, ms, and which share of the time since the last look the loop was at work; the function returned ends that. */
export function watchProcess(
  metrics: MetricsRegistry,
  clock: Clock,
  version: string,
  onLook: (lagMs: number, busy: number) => void = () => {},
): () => void {
  const { core, process: own } = metrics
  core.gauge('build_info', '1, for the version that runs.', ['version']).set(1, { version })
  own.gauge('start_time_seconds', 'When the process started, in seconds since 1970.').set(clock.now() / 1000 - process.uptime())
  const cpu = own.counter('cpu_seconds_total', 'CPU time of the process, user and system.').at()
  const resident = own.gauge('resident_memory_bytes', 'Memory of the process.')
  const heap = core.gauge('heap_used_bytes', 'Memory that JavaScript objects take.')
  metrics.beforeRender(() => {
    const { user, system } = process.cpuUsage()
    cpu.value = (user + system) / 1e6
    const { rss, heapUsed } = process.memoryUsage()
    resident.set(rss)
    heap.set(heapUsed)
  })

  const lag = core.histogram('event_loop_lag_seconds', 'How late a timer came that was to come ten times a second.', BOUNDS).at()
  let due = 0
  let usedBefore = performance.eventLoopUtilization()
  const look = (): void => {
    const now = clock.mono()
    const lateMs = Math.max(0, now - due)
    lag.observe(lateMs / 1000)
    const used = performance.eventLoopUtilization()
    onLook(lateMs, performance.eventLoopUtilization(used, usedBefore).utilization)
    usedBefore = used
    wait(now)
  }
  let stop = (): void => {}
  const wait = (now: number): void => {
    due = now + EVERY_MS
    stop = clock.after(EVERY_MS, look)
  }
  wait(clock.mono())
  return () => stop()
}
