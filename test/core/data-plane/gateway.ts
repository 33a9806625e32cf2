// A whole gateway for tests of the data plane: real relay, pipeline and listeners around a config made by hand.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { type ConfiguredServer, defaults, type GatewayConfig } from '../../../core/config/schema.ts'
import { type Gateway, type GatewayOptions, startGateway } from '../../../core/gateway.ts'
import { createGuard } from '../../../core/guard.ts'
import { observeExchanges } from '../../../core/metrics/exchanges.ts'
import { createOperations } from '../../../core/operations/operations.ts'
import { createPipeline, type LoadedPlugin } from '../../../core/pipeline.ts'
import type { AdminEvent, Capability, Clock, Hooks, Operation } from '../../../core/plugin/index.ts'
import { KnownSecrets } from '../../../core/secrets.ts'
import { createStores } from '../../../core/store/index.ts'
import type { Tracing } from '../../../core/telemetry/tracing.ts'
import { createLogBook, type LogLine, realClock } from '../upstream/manual-clock.ts'

export interface TestGateway {
  readonly gateway: Gateway
  readonly url: string
  readonly port: number
  readonly logged: LogLine[]
  /** Administration events so far. */
  readonly events: AdminEvent[]
  readonly secrets: KnownSecrets
  /** The data directory. */
  readonly dir: string
  /** The far ends of the standard streams, where `stdio` was asked for. */
  readonly input: PassThrough
  readonly output: PassThrough
  stop(): Promise<void>
}

export interface TestGatewayOptions
  extends Partial<Pick<GatewayConfig, 'names' | 'refusals' | 'gateway'>>,
    Pick<GatewayOptions, 'metrics' | 'onEvent' | 'health' | 'overload' | 'kills'> {
  readonly servers: readonly ConfiguredServer[]
  /** Beside those of the core. */
  readonly operations?: readonly Operation[]
  readonly plugins?: readonly LoadedPlugin[]
  readonly limits?: Partial<GatewayConfig['limits']>
  readonly listen?: Partial<GatewayConfig['listen']>
  readonly stdio?: boolean
  readonly clock?: Clock
  readonly tracing?: Tracing
}

export async function startTestGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const { servers, plugins = [], clock = realClock, stdio = false } = options
  const dir = mkdtempSync(join(tmpdir(), 'mcpgw-plane-'))
  const { log, lines } = createLogBook()
  const config: GatewayConfig = {
    listen: { ...defaults.listen, port: 0, ...options.listen },
    servers,
    plugins: [],
    policies: [],
    store: { dir },
    secrets: {},
    limits: { ...defaults.limits, ...options.limits },
    names: options.names ?? 'qualified',
    refusals: options.refusals ?? 'result',
    log: 'silent',
    metrics: {},
    ...(options.gateway && { gateway: options.gateway }),
  }
  const operations = createOperations(log)
  for (const operation of options.operations ?? []) operations.add(operation)
  const plain = createGuard({ clock, limitMs: config.limits.hookMs })
  const guard = options.tracing?.hooks(plain) ?? plain
  const observer = options.tracing?.observer ?? (options.metrics && observeExchanges(options.metrics.core, clock))
  const secrets = new KnownSecrets()
  const events: AdminEvent[] = []
  const input = new PassThrough()
  const output = new PassThrough()
  const gateway = await startGateway({
    config,
    version: '0.0.0',
    boot: 'test',
    pipeline: createPipeline({ plugins, guard, log, observer }),
    operations,
    secrets,
    clock,
    log,
    http: true,
    probe: true,
    stores: createStores({ dataDir: dir, log }),
    onEvent: event => void events.push(event),
    ...(stdio && { stdio: { input, output } }),
    ...(options.metrics && { metrics: options.metrics }),
    ...(options.health && { health: options.health }),
    overload: options.overload,
    ...(options.kills && { kills: options.kills }),
    ...(options.onEvent && { onEvent: options.onEvent }),
  })
  return {
    gateway,
    port: gateway.port!,
    url: `http://127.0.0.1:${gateway.port}/mcp`,
    logged: lines,
    events,
    secrets,
    dir,
    input,
    output,
    async stop() {
      await gateway.stop(1000)
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

export function plugin(name: string, capabilities: readonly Capability[], hooks: Hooks): LoadedPlugin {
  return { name, capabilities: new Set(capabilities), discharges: [], hooks, failure: 'closed' }
}

/** Who you are is what your `authorization` header says. */
export const authenticating: LoadedPlugin = plugin('names', ['authenticates'], {
  onRequest({ peer, direction }) {
    const [id = '', method = 'test', issuer] = peer.header('authorization')[0]?.split('|') ?? []
    if (direction === 'to-client' || id === '') return { kind: 'pass' }
    const via = { method, ...(issuer !== undefined && { issuer }) }
    return { kind: 'identify', principal: { id, roles: [], tenant: 'default', claims: {}, via } }
  },
})

/** Resolves as soon as `ready` holds; the test's own time limit ends what never does. */
export async function until(ready: () => boolean): Promise<void> {
  while (!ready()) await new Promise(resolve => setTimeout(resolve, 5))
}
