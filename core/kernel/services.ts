// The parts of a running kernel by name, and how each is made: the composition of the gateway in one place.
import { type Container, createContainer, type Token, token } from '../container.ts'
import { createGuard, type Guard, type HookFailure } from '../guard.ts'
import { createHealth, type Health } from '../health.ts'
import type { Kills } from '../kill/kills.ts'
import { type Observer, observeExchanges } from '../metrics/exchanges.ts'
import { timeHooks } from '../metrics/hooks.ts'
import { createMetrics, type MetricsRegistry } from '../metrics.ts'
import { createOperations, type Operations } from '../operations/operations.ts'
import { type ClosableOutgoing, createOutgoing } from '../outgoing/outgoing.ts'
import { createPipeline, type LoadedPlugin, type Pipeline } from '../pipeline.ts'
import type { Clock, GatewayFacts, Log, PluginContext, Stores } from '../plugin/index.ts'
import type { Tracing } from '../telemetry/tracing.ts'
import { createEdge, type Edge } from './edge.ts'
import { createRegistry, type ServiceRegistry } from './registry.ts'

/** What the kernel needs from whoever runs it. */
export interface Host {
  /** Where plugins are set up for a gateway. */
  readonly gateway?: GatewayFacts
  readonly log: Log
  readonly clock: Clock
  readonly stores: Stores
  /** This instance of the gateway: `boot` is new at every start. */
  readonly instance: PluginContext['instance']
  /** Where telemetry is on. */
  readonly tracing?: Tracing | undefined
  /** Takes the values of known secrets out of a text. */
  readonly scrub?: (text: string) => string
  /** Where plugins are looked for after the folder of the config; the working directory by default. */
  readonly dir?: string
  /** What operators have killed, as it is now; nothing where it is left out. */
  readonly kills?: { readonly now: Kills }
  /** Milliseconds for one plugin to set up, to start, to let go; default 30 000. */
  readonly setupMs?: number
}

export interface Tokens {
  readonly host: Token<Host>
  readonly log: Token<Log>
  readonly clock: Token<Clock>
  readonly stores: Token<Stores>
  readonly metrics: Token<MetricsRegistry>
  readonly health: Token<Health>
  readonly outgoing: Token<ClosableOutgoing>
  readonly edge: Token<Edge>
  readonly operations: Token<Operations>
  /** What plugins provide each other. */
  readonly registry: Token<ServiceRegistry>
  readonly guard: Token<Guard>
  /** Provided once every plugin is set up. */
  readonly plugins: Token<readonly LoadedPlugin[]>
  readonly pipeline: Token<Pipeline>
}

export const tokens: Tokens = {
  host: token('host'),
  log: token('log'),
  clock: token('clock'),
  stores: token('stores'),
  metrics: token('metrics'),
  health: token('health'),
  outgoing: token('outgoing'),
  edge: token('edge'),
  operations: token('operations'),
  registry: token('registry'),
  guard: token('guard'),
  plugins: token('plugins'),
  pipeline: token('pipeline'),
}

export function composeKernel(host: Host, limits: { readonly hookMs: number }): Container {
  const services = createContainer()
  services.provide(tokens.host, () => host)
  services.provide(tokens.log, () => host.log)
  services.provide(tokens.clock, () => host.clock)
  services.provide(tokens.stores, () => host.stores)
  services.provide(tokens.metrics, () => createMetrics())
  services.provide(tokens.health, c => openHealth(c))
  services.provide(
    tokens.outgoing,
    () => createOutgoing(),
    outgoing => outgoing.close(),
  )
  services.provide(tokens.edge, () => createEdge())
  services.provide(tokens.operations, c => createOperations(c.get(tokens.log)))
  services.provide(tokens.registry, () => createRegistry())
  services.provide(tokens.guard, c => openGuard(c, limits.hookMs))
  services.provide(
    tokens.pipeline,
    c =>
      createPipeline({
        plugins: c.get(tokens.plugins),
        guard: c.get(tokens.guard),
        log: c.get(tokens.log),
        onFailure: countFailures(c),
        ...(host.kills && { kills: host.kills }),
        observer: openObserver(c),
      }),
    pipeline => pipeline.drain(),
  )
  return services
}

function openHealth(c: Container): Health {
  const { scrub } = c.get(tokens.host)
  const log = c.get(tokens.log)
  return createHealth({
    clock: c.get(tokens.clock),
    ...(scrub && { scrub }),
    onChange: (component, status, why) => log[status === 'ok' ? 'info' : 'warn']('health', { component, status, why }),
  })
}

function openObserver(c: Container): Observer {
  const counted = observeExchanges(c.get(tokens.metrics).core, c.get(tokens.clock))
  const traced = c.get(tokens.host).tracing?.observer
  if (traced === undefined) return counted
  return {
    ...counted,
    opened: x => traced.opened?.(x),
    settled(x, outcome) {
      traced.settled(x, outcome)
      counted.settled(x, outcome)
    },
  }
}

function openGuard(c: Container, limitMs: number): Guard {
  const log = c.get(tokens.log)
  const late = c
    .get(tokens.metrics)
    .core.counter('late_verdicts_total', 'Verdicts that came after the time limit and were ignored.', ['plugin', 'hook'])
  const guard = createGuard({
    clock: c.get(tokens.clock),
    limitMs,
    onLate(site, afterMs) {
      late.inc({ plugin: site.plugin, hook: site.hook })
      log.warn('a verdict came too late and was ignored', { ...site, afterMs: Math.round(afterMs) })
    },
    onCalled: timeHooks(c.get(tokens.metrics).core),
  })
  return c.get(tokens.host).tracing?.hooks(guard) ?? guard
}

function countFailures(c: Container): (failure: HookFailure) => void {
  const failures = c
    .get(tokens.metrics)
    .core.counter('plugin_failures_total', 'Hooks that threw, timed out, or answered nonsense.', ['plugin', 'hook', 'why'])
  return ({ site, why }) => failures.inc({ ...site, why })
}
