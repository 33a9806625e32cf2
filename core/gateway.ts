// The gateway as a whole: servers, relay and listeners around a pipeline, put together in one place and taken down in reverse.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { placeOf, versionsOf, whichOf } from './config/places.ts'
import type { ConfiguredServer, GatewayConfig, ListedServer } from './config/schema.ts'
import { createCredentials } from './credentials/credentials.ts'
import { servePages } from './credentials/pages.ts'
import type { TokenStores } from './credentials/user-tokens.ts'
import { type HttpListener, listenHttp } from './downstream/http.ts'
import type { HttpPeer } from './downstream/http-peer.ts'
import { listenStdio, type StdioListener } from './downstream/stdio.ts'
import { openTls, type TlsKeeper } from './downstream/tls.ts'
import type { ErrorCode } from './errors.ts'
import type { Health } from './health.ts'
import { createIds } from './ids.ts'
import type { KillSwitch } from './kill/watch.ts'
import { changedOf } from './mcp/methods.ts'
import type { MetricsRegistry } from './metrics.ts'
import { createInner } from './operations/inner.ts'
import { openApi } from './operations/openapi.ts'
import type { Operations } from './operations/operations.ts'
import { type OwnOptions, ownOperations } from './operations/own.ts'
import { NEVER_OVER, type Shedding } from './overload.ts'
import type { Pipeline } from './pipeline.ts'
import type { AdminEvent, Clock, Log, Outgoing } from './plugin/index.ts'
import type { FleetChange } from './registry/change.ts'
import { createFleet } from './registry/fleet.ts'
import { createHandles } from './relay/handles.ts'
import { createRelay, type Relay } from './relay/relay.ts'
import { showSessions } from './relay/session-metrics.ts'
import { createSessions, type SessionStore } from './relay/sessions.ts'
import { createViews, type Views } from './relay/view.ts'
import type { KnownSecrets, SecretFault } from './secrets.ts'
import { openPrivateKey } from './store/private-key.ts'
import { createServerBoard, type ServerBoard } from './upstream/board.ts'
import { showGates } from './upstream/gate-metrics.ts'
import { LanePool } from './upstream/pool.ts'
import { createReach } from './upstream/reach.ts'

export interface GatewayOptions {
  readonly config: GatewayConfig
  readonly version: string
  readonly boot: string
  readonly pipeline: Pipeline
  /** Those of the plugins; the gateway adds its own. */
  readonly operations: Operations
  readonly secrets: KnownSecrets
  readonly clock: Clock
  readonly log: Log
  /** Listen on `config.listen`. */
  readonly http: boolean
  /** Open a lane to every server at once, so that they are known before the first client asks. */
  readonly probe: boolean
  /** Serve one client on these. */
  readonly stdio?: { readonly input: Readable; readonly output: Writable }
  /** Administration events of servers, for the record. */
  onEvent?(event: AdminEvent): void
  /** Learns how each server is. */
  readonly health?: Pick<Health, 'component'>
  /** Shows what is under way at each server. */
  readonly metrics?: Pick<MetricsRegistry, 'core' | 'beforeRender'>
  /** Reaches authorization servers; whoever gives it closes it. */
  readonly outgoing?: Outgoing
  /** A secret as it is now. */
  getSecret?(name: string): Promise<string | SecretFault | undefined>
  /** For what users give the gateway for servers. */
  readonly stores?: TokenStores
  /** Refuses new work where there is too much. */
  readonly overload?: Shedding | undefined
  /** Of a server that was registered while gateways run, where the config allows any. */
  registered?: OwnOptions['registered'] | undefined
  /** Ends what operators have killed. */
  readonly kills?: Pick<KillSwitch, 'carryOut' | 'now'>
  /** Anything but the MCP endpoints; why it was not served, `not-found` where the path is not known. */
  serveOther?(request: IncomingMessage, response: ServerResponse, path: string, peer: HttpPeer): ErrorCode | undefined
}

export interface Gateway {
  readonly relay: Relay
  readonly views: Views
  readonly pool: LanePool
  readonly board: ServerBoard
  readonly sessions: SessionStore
  /** Port in use, where HTTP is served. */
  readonly port: number | undefined
  readonly stdio: StdioListener | undefined
  /** From now on there are these servers, beside the gateway's own. */
  change(servers: readonly ConfiguredServer[]): FleetChange | undefined
  /** Reads the files of the certificate again. */
  reload(): Promise<void>
  /** Takes no new work, lets what is under way finish within `limitMs`, then ends sessions and servers. */
  stop(limitMs: number): Promise<void>
}

export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, clock, log, pipeline, secrets, operations, overload = NEVER_OVER } = options
  const { open, authenticates } = pipeline
  const inner = config.gateway && createInner({ operations, tools: config.gateway, version: options.version, open, authenticates })
  const servers: readonly ListedServer[] = inner === undefined ? config.servers : [...config.servers, inner.server]
  const { onEvent, health } = options
  const board = createServerBoard({ servers, clock, log, metrics: options.metrics, ...(onEvent && { onEvent }), ...(health && { health }) })
  if (options.metrics !== undefined) showGates(options.metrics, board)
  const credentials = createCredentials({
    servers: config.servers.flatMap(versionsOf),
    secrets,
    clock,
    log,
    ...(onEvent && { onEvent }),
    health,
    metrics: options.metrics,
    stores: options.stores,
    outgoing: options.outgoing,
    changed: (server, owner) => pool.changed(server, owner),
    ended: (server, owner) => void pool.end(server, owner),
  })

  const reach = createReach({ config, board, credentials, secrets, clock, log, createInner: owner => inner!.createTransport(owner) })

  const pool = new LanePool({
    config,
    version: options.version,
    clock,
    log,
    gateOf: server => board.gate(placeOf(server)),
    createTransport: reach.createTransport,
    scrub: bytes => secrets.scrub(bytes),
    noteOpened: (server, agreement) => board.opened(placeOf(server), agreement.protocolVersion),
    noteClosed: (server, fault) => board.closed(placeOf(server), fault),
    noteRedefined(server, { tool, before, now }) {
      log.warn('a server has changed the definition of a tool', { server: server.id, ...whichOf(server), tool, before, now })
      onEvent?.({ type: 'tool.redefined', detail: { server: server.id, ...whichOf(server), tool, before, now } })
      pipeline.changed({ server: server.id, of: 'tools' })
    },
    noteChanged: (server, method) => pipeline.changed({ server: server.id, of: changedOf(method) }),
  })
  const sessions = createSessions(clock, session => pool.leave(session.user, session.id))
  if (options.metrics !== undefined) showSessions(options.metrics, sessions)
  const handles = createHandles({ loadKey: () => openPrivateKey(join(config.store.dir, 'handles.key')), clock, log })
  const views = createViews({ servers, names: config.names, isOut: server => options.kills?.now.refuseServer(server) !== undefined })
  const relay = createRelay({
    config,
    version: options.version,
    pipeline,
    pool,
    sessions,
    handles,
    credentials,
    views,
    isSecret: (server, tool) => inner !== undefined && server === inner.server.id && operations.isSecret(tool),
    clock,
    log,
    newId: createIds(options.boot),
  })
  const reassign = (): void => {
    views.review()
    relay.renew()
  }
  const restart = (id: string): boolean => fleet.restart(id)
  const carryOut = (): void => options.kills?.carryOut({ servers: () => board.gates(), pool, expel: relay.expel, reassign, restart })
  const fleet = createFleet(servers, { board, pool, credentials, views, relay, pipeline, log, probe: options.probe, added: carryOut })
  const own = {
    relay,
    views,
    isNarrowed: pipeline.wants.lists,
    servers: () => board.list(),
    about: (id: string) => fleet.about(id),
    registered: options.registered ?? (() => undefined),
  }
  for (const operation of ownOperations(own)) operations.add(operation)
  carryOut()
  const probing = options.probe ? pool.probe(views.all.servers) : undefined

  let http: HttpListener | undefined
  let tls: TlsKeeper | undefined
  try {
    const serveOther: NonNullable<GatewayOptions['serveOther']> = (request, response, path, peer) => {
      if (servePages(credentials.authorizations, request, response, path)) return undefined
      return options.serveOther === undefined ? 'not-found' : options.serveOther(request, response, path, peer)
    }
    if (options.http && config.listen.tls !== undefined)
      tls = await openTls(config.listen.tls, { clock, log, health, ...(options.getSecret && { getSecret: options.getSecret }) })
    // Anybody may ask for it, and it stays the same.
    const description = openApi({ version: options.version, operations: inner?.offered() ?? [], authenticates })
    if (options.http)
      http = await listenHttp({
        config,
        relay,
        sessions,
        views,
        pipeline,
        operations,
        description,
        clock,
        log,
        tls,
        serveOther,
        overload,
      })
  } catch (error) {
    tls?.stop()
    await pool.close()
    await reach.close()
    await credentials.close()
    reach.release()
    throw error
  }
  const stdio = options.stdio && listenStdio({ config, relay, view: views.all, pipeline, overload, log, ...options.stdio })

  return {
    relay,
    views,
    pool,
    board,
    sessions,
    port: http?.port,
    stdio,
    change: next => fleet.change(inner === undefined ? next : [...next, inner.server]),
    reload: async () => tls?.reload(),
    async stop(limitMs) {
      const drained = Promise.all([http?.drain(limitMs), stdio?.drain(limitMs)])
      relay.drain()
      await drained
      // What no server has answered by now is answered by this: the server is not available.
      await pool.close()
      await http?.close()
      tls?.stop()
      await stdio?.close()
      await sessions.close()
      await probing
      await pipeline.drain()
      await reach.close()
      await credentials.close()
      reach.release()
    },
  }
}
