// The gateway as a whole: kernel, servers, relay and listeners, put together in one place and taken down in reverse.
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable, Writable } from 'node:stream'
import type { GatewayConfig, ServerConfig } from './config/schema.ts'
import { listenHttp } from './downstream/http.ts'
import type { HttpPeer } from './downstream/http-peer.ts'
import { listenStdio, type StdioListener } from './downstream/stdio.ts'
import { createIds } from './ids.ts'
import { boot, type Host, type Kernel } from './kernel.ts'
import { createRelay, type Relay } from './relay/relay.ts'
import { createSessions, type SessionStore } from './relay/sessions.ts'
import { createViews, type Views } from './relay/view.ts'
import { createDialer } from './upstream/dialer.ts'
import { createHttpTransport } from './upstream/http.ts'
import type { LanePool } from './upstream/pool.ts'
import { createStdioTransport } from './upstream/stdio.ts'
import { createSupervisors } from './upstream/supervisor.ts'
import type { Transport } from './upstream/transport.ts'

export interface GatewayOptions {
  readonly config: GatewayConfig
  readonly host: Host
  /** Listen on `config.listen`. */
  readonly http: boolean
  /** Serve one client on these. */
  readonly stdio?: { readonly input: Readable; readonly output: Writable }
}

export interface Gateway {
  readonly kernel: Kernel
  readonly relay: Relay
  readonly views: Views
  readonly pool: LanePool
  readonly sessions: SessionStore
  /** Port in use, where HTTP is served. */
  readonly port: number | undefined
  readonly stdio: StdioListener | undefined
  /** Takes no new work, lets what is under way finish within the limit, stops servers, then plugins. */
  stop(limitMs?: number): Promise<void>
}

const STOP_MS = 10_000
