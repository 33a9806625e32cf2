// From a loaded config to a running gateway: what `run`, `tools` and `servers` have in common.
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { systemClock } from '../clock.ts'
import type { Loaded } from '../config/load.ts'
import { serveOperations } from '../downstream/operations.ts'
import { TlsFault } from '../downstream/tls-material.ts'
import type { Finding } from '../finding.ts'
import { type Gateway, startGateway } from '../gateway.ts'
import { boot, isBootFailure, type Kernel, tokens } from '../kernel.ts'
import { openKillSwitch } from '../kill/watch.ts'
import type { RootLog } from '../log.ts'
import { showConditions } from '../metrics/conditions.ts'
import { watchProcess } from '../metrics/process.ts'
import { killingOperations } from '../operations/killing.ts'
import { restartingOperation } from '../operations/restarting.ts'
import { findOperator } from '../operator.ts'
import { createOverload, FEW } from '../overload.ts'
import { type AdminEvent, Masking, Recording } from '../plugin/index.ts'
import { KnownSecrets } from '../secrets.ts'
import { learnSecrets } from './learn-secrets.ts'
import { factsOf, findUnmasked, findUnreachable, mayReach } from './reach.ts'
import { recordRefusedStart, recordStart, refusedStart } from './record-start.ts'
import { offerRegistration, openRegistration } from './registering.ts'
import { openStores } from './stores.ts'
import { createTakeConfig, type TakeConfig } from './take-config.ts'

export interface OpenOptions {
  readonly loaded: Loaded
  readonly version: string
  readonly log: RootLog
  readonly cwd: string
  readonly http: boolean
  /** Start every server at once instead of when it is needed. */
  readonly probe: boolean
  /** Listen beyond loopback though no plugin authenticates or none decides; health, log and record say so. */
  readonly insecure?: boolean
  readonly stdio?: { readonly input: Readable; readonly output: Writable }
}

export interface OpenGateway {
  readonly kernel: Kernel
  readonly gateway: Gateway
  readonly take: TakeConfig
  stop(limitMs: number): Promise<void>
}

const TELEMETRY_STOP_MS = 2000

export type OpenResult = OpenGateway | { readonly findings: readonly Finding[] }

export async function openGateway({ loaded, version, log, cwd, http, probe, insecure = false, stdio }: OpenOptions): Promise<OpenResult> {
  const secrets = new KnownSecrets()
  learnSecrets(secrets, loaded.injected, log)
  log.scrubWith(line => secrets.scrubText(line))
  const operator = findOperator()
  const instance = { id: hostname(), boot: randomUUID(), version, operator }
  const stores = await openStores(loaded.config.store, log)
  const kills = await openKillSwitch(stores)
  if ('code' in kills) {
    await recordRefusedStart([kills], loaded, { stores, log, cwd, version })
    return { findings: [kills] }
  }
  const registered = await openRegistration(loaded, { stores, secrets, log })
  if (registered !== undefined && 'code' in registered) {
    await kills.stop()
    await recordRefusedStart([registered], loaded, { stores, log, cwd, version })
    return { findings: [registered] }
  }
  const config = { ...loaded.config, servers: registered?.servers ?? loaded.config.servers }
  const teller = { version, instance: `${instance.id}/${instance.boot}` }
  const telemetry = config.telemetry && (await import('../telemetry/telemetry.ts')).createTelemetry(config.telemetry, systemClock, teller)
  const kernel = await boot(
    { plugins: config.plugins, limits: config.limits },
    {
      log,
      clock: systemClock,
      stores,
      instance,
      scrub: text => secrets.scrubText(text),
      tracing: telemetry?.tracing,
      dir: cwd,
      gateway: factsOf(config),
      kills,
    },
  )
  const letGo = async (): Promise<void> => {
    await kills.stop()
    await registered?.stop()
  }
  if (isBootFailure(kernel)) {
    await letGo()
    await recordRefusedStart(kernel.findings, loaded, { stores, log, cwd, version })
    return kernel
  }
  const services = kernel.services.get(tokens.registry)
  const masking = services.find(Masking)
  if (masking !== undefined) log.scrubWith(line => masking.text(secrets.scrubText(line)))
  const recording = services.find(Recording)
  const giveUp = async (finding: Finding): Promise<OpenResult> => {
    await recording
      ?.event({ actor: operator, ...refusedStart([finding], loaded) })
      .catch(error => log.error('an event could not be recorded', { type: 'config.refused', error: String(error) }))
    await telemetry?.stop(TELEMETRY_STOP_MS)
    await kernel.stop()
    await letGo()
    return { findings: [finding] }
  }
  const unreachable = findUnreachable(loaded.config, kernel.plugins) ?? findUnmasked(config, masking !== undefined)
  if (unreachable !== undefined) return giveUp(unreachable)
  const refused = http ? mayReach(loaded, kernel.plugins) : undefined
  if (refused !== undefined && !insecure) return giveUp(refused)
  if (refused !== undefined) {
    const why = `${refused.message}: allowed by --insecure-allow-anonymous`
    kernel.health.component('listen').set({ status: 'degraded', why })
    log.warn('insecure', { detail: why })
  }
  try {
    if (recording !== undefined) await recordStart(recording, loaded, kernel, operator, refused !== undefined)
  } catch (error) {
    return giveUp({ code: 'plugin-setup', message: `the start could not be recorded: ${String(error)}` })
  }

  const ways = { metrics: kernel.metrics, health: kernel.health, outgoing: kernel.services.get(tokens.outgoing) }
  telemetry?.begin({ ...ways, scrub: text => secrets.scrubText(text) }, masking && (text => masking.text(text)))

  const onEvent = (event: AdminEvent) => {
    recording?.event(event).catch(error => log.error('an event could not be recorded', { type: event.type, error: String(error) }))
  }
  for (const operation of killingOperations({ store: kills.store, recording, now: Date.now })) kernel.operations.add(operation)
  if (registered !== undefined) offerRegistration(loaded, registered, kernel, recording)
  let gateway: Gateway
  const isThere = (id: string): boolean => gateway.board.list().some(({ server }) => server === id)
  kernel.operations.add(restartingOperation({ store: kills.store, recording, now: Date.now, isThere }))
  const overload = createOverload({
    limits: config.limits.overload,
    log,
    health: kernel.health,
    pending: () => gateway.board.gates().reduce((sum, { gate }) => sum + gate.load, 0),
    waitedMs: () => Math.max(0, ...gateway.board.gates().map(({ gate }) => gate.waitedMs(FEW))),
  })
  try {
    gateway = await startGateway({
      config,
      version,
      boot: instance.boot.slice(0, 8),
      pipeline: kernel.pipeline,
      operations: kernel.operations,
      secrets,
      clock: systemClock,
      log,
      http,
      probe,
      stores,
      kills,
      registered: registered?.find,
      overload,
      outgoing: kernel.services.get(tokens.outgoing),
      ...(loaded.getSecret && { getSecret: loaded.getSecret }),
      ...(stdio && { stdio }),
      onEvent,
      health: kernel.health,
      metrics: kernel.metrics,
      serveOther: (request, response, path, peer) =>
        serveOperations(
          {
            health: kernel.health,
            metrics: kernel.metrics,
            metricsToken: config.metrics.token,
            servers: () => gateway.board.list(),
            edge: kernel.edge,
            version,
          },
          request,
          response,
          path,
          peer,
        ),
    })
  } catch (error) {
    return giveUp(listenFailed(error, config.listen))
  }
  showConditions(kernel.metrics, kernel.health)
  const unwatch = watchProcess(kernel.metrics, systemClock, version, overload.look)
  kernel.edge.onExpel(isMeant => gateway.relay.expel(isMeant))
  kills.watch({ clock: systemClock, log, health: kernel.health })
  registered?.watch({ clock: systemClock, health: kernel.health, serve: gateway.change })
  return {
    kernel,
    gateway,
    take: createTakeConfig({ loaded, kernel, gateway, registered, secrets, recording, operator, log }),
    async stop(limitMs) {
      unwatch()
      await gateway.stop(limitMs)
      await telemetry?.stop(TELEMETRY_STOP_MS)
      await kernel.stop()
      await letGo()
    },
  }
}

function listenFailed(error: unknown, { host, port }: { readonly host: string; readonly port: number }): Finding {
  if (error instanceof TlsFault) return { code: 'listen-tls', message: error.message, help: error.help, path: [error.field] }
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const why = code === 'EADDRINUSE' ? 'the port is in use' : code === 'EACCES' ? 'no permission' : String(error)
  return {
    code: 'listen-failed',
    message: `cannot listen on ${host}:${port}: ${why}`,
    help: 'choose another with `listen` or --http HOST:PORT',
  }
}
