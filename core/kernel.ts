// Boot and stop: load, prove the order, set up, start; and all of it in reverse. What goes wrong is a finding, and leaves nothing behind.
import { timedOut, within } from './clock.ts'
import type { Container } from './container.ts'
import type { Finding } from './finding.ts'
import { describeError, type PendingHook } from './guard.ts'
import type { Health } from './health.ts'
import type { Edge } from './kernel/edge.ts'
import { type BootReport, OPEN_NOTICE, type PluginReport } from './kernel/report.ts'
import { type Host, tokens } from './kernel/services.ts'
import { attempt, compose, type Run, setUp } from './kernel/set-up.ts'
import type { Releases } from './kernel/stop.ts'
import { type CheckedPlugin, loadPlugin, type PluginEntry } from './loader.ts'
import type { MetricsRegistry } from './metrics.ts'
import type { Operations } from './operations/operations.ts'
import { proveOrder, toOrdered } from './order.ts'
import type { LoadedPlugin, Pipeline } from './pipeline.ts'
import type { Hooks } from './plugin/index.ts'

export { type BootReport, renderReport } from './kernel/report.ts'
export { type Host, tokens } from './kernel/services.ts'
export { findMisfits } from './kernel/set-up.ts'
export type { PluginEntry } from './loader.ts'
export { mayListen } from './order.ts'

export interface BootConfig {
  readonly plugins: readonly PluginEntry[]
  readonly limits: { readonly hookMs: number }
}

export interface Kernel {
  readonly pipeline: Pipeline
  readonly report: BootReport
  readonly services: Container
  readonly health: Health
  readonly metrics: MetricsRegistry
  readonly edge: Edge
  readonly operations: Operations
  readonly plugins: readonly CheckedPlugin[]
  /** Asks every plugin, in config order, to read its own files again. */
  reload(): Promise<void>
  /** Waits for what is settling, then lets go in reverse order. Once; later calls get the same answer. */
  stop(): Promise<StopReport>
}

export interface StopReport {
  /** Hooks that have not answered to this moment. */
  readonly pending: readonly PendingHook[]
  readonly failed: readonly { readonly plugin: string; readonly why: string }[]
}

export interface BootFailure {
  readonly findings: readonly Finding[]
}

export function isBootFailure(booted: Kernel | BootFailure): booted is BootFailure {
  return 'findings' in booted
}

/** Loads and checks the plugins, and proves their order; runs nothing of them but the check of their config. */
export async function checkPlugins(entries: readonly PluginEntry[], dir: string): Promise<readonly CheckedPlugin[] | BootFailure> {
  const loaded = await Promise.all(entries.map(entry => loadPlugin(entry, dir)))
  const refused = loaded.flatMap(one => (one.kind === 'refused' ? one.findings : []))
  if (refused.length > 0) return { findings: refused }
  const checked = loaded.flatMap(one => (one.kind === 'loaded' ? [one.checked] : []))
  const findings = proveOrder(checked.map(toOrdered))
  return findings.length > 0 ? { findings } : checked
}

export async function boot(config: BootConfig, host: Host): Promise<Kernel | BootFailure> {
  const began = performance.now()
  const plugins = await checkPlugins(config.plugins, host.dir ?? process.cwd())
  if ('findings' in plugins) return plugins

  const run = compose(plugins, config.limits, host)
  const { services, releases, open } = run

  const abandon = async (finding: Finding): Promise<BootFailure> => {
    await releases.run()
    await services.dispose()
    return { findings: [finding] }
  }

  const loaded: LoadedPlugin[] = []
  const rows: { -readonly [K in keyof PluginReport]: PluginReport[K] }[] = []
  for (const checked of plugins) {
    const from = performance.now()
    const hooks = await setUp(checked, run)
    if ('code' in hooks) return abandon(hooks)
    loaded.push(toLoaded(checked, hooks))
    rows.push(toReport(checked, performance.now() - from))
  }
  services.provide(tokens.plugins, () => loaded)
  const pipeline = services.get(tokens.pipeline)
  for (const [i, checked] of plugins.entries()) {
    const from = performance.now()
    const finding = await start(checked, loaded[i]!.hooks, run)
    if (finding !== undefined) return abandon(finding)
    rows[i] = { ...rows[i]!, ms: { ...rows[i]!.ms, start: performance.now() - from } }
  }

  const health = services.get(tokens.health)
  health.setOpen(open)
  if (open) host.log.warn(OPEN_NOTICE)
  let stopped: Promise<StopReport> | undefined
  return {
    pipeline,
    report: { version: host.instance.version, open, plugins: rows, ms: performance.now() - began },
    services,
    health,
    metrics: services.get(tokens.metrics),
    edge: services.get(tokens.edge),
    operations: services.get(tokens.operations),
    plugins,
    reload: () => reload(loaded, run),
    stop: () => {
      stopped ??= stop(services, releases, host)
      return stopped
    },
  }
}

async function start(checked: CheckedPlugin, hooks: Hooks, { services, limitMs }: Run): Promise<Finding | undefined> {
  if (hooks.start === undefined) return undefined
  const done = await attempt(checked, services, limitMs, 'start', async () => {
    await hooks.start?.()
    return {}
  })
  return 'code' in done ? done : undefined
}

async function reload(loaded: readonly LoadedPlugin[], { services, limitMs }: Run): Promise<void> {
  for (const { name, hooks } of loaded) {
    if (hooks.reload === undefined) continue
    try {
      const done = await within(services.get(tokens.clock), limitMs, async () => hooks.reload?.())
      if (done === timedOut) throw new Error(`not done within ${limitMs} ms`)
    } catch (error) {
      services.get(tokens.log).error('reload of a plugin failed', { plugin: name, detail: describeError(error) })
    }
  }
}

async function stop(services: Container, releases: Releases, { log }: Host): Promise<StopReport> {
  const guard = services.get(tokens.guard)
  await services.get(tokens.pipeline).drain()
  const failed = await releases.run()
  const pending = guard.pending()
  for (const hook of pending) log.warn('a hook is still pending at stop', { ...hook, for: Math.round(hook.for) })
  for (const { token, error } of await services.dispose())
    log.error('a service failed to let go', { service: token, detail: describeError(error) })
  return { pending, failed }
}

function toLoaded({ plugin, capabilities, failure }: CheckedPlugin, hooks: Hooks): LoadedPlugin {
  return { name: plugin.name, capabilities, discharges: plugin.discharges ?? [], hooks, failure }
}

function toReport({ plugin, capabilities, failure, source, ms }: CheckedPlugin, setup: number): PluginReport {
  return {
    name: plugin.name,
    source,
    capabilities: [...capabilities],
    discharges: plugin.discharges ?? [],
    failure,
    ms: { load: ms, setup, start: 0 },
  }
}
