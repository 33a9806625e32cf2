// The checked config that the rest of the gateway gets: its types and its defaults. No run-time dependency, so that anyone may import it.

import type { RegistrationConfig } from './registration-config.ts'
import type { Balance, ConfiguredServer, ProcessLimits, ServerLimits, ServerTimeouts, SourcePosition } from './server-config.ts'
import type { TelemetryConfig } from './telemetry-config.ts'
import type { TlsConfig } from './tls-config.ts'

export type { ExchangeClient, GatewayClient, OAuthClient, ServerAuth, UserClient } from './auth-schema.ts'
export type {
  AddressedServer,
  Balance,
  ChildServer,
  ConfiguredServer,
  InnerServer,
  ListedServer,
  ProcessLimits,
  ReachedServer,
  RemoteServer,
  RestServer,
  ServerConfig,
  ServerLimits,
  ServerProtocol,
  ServerTimeouts,
  ServerVersion,
  SourcePosition,
  VersionedServer,
  VersionPins,
} from './server-config.ts'
export { authOf } from './server-config.ts'
export type { TlsConfig } from './tls-config.ts'

export interface GatewayConfig {
  readonly listen: ListenConfig
  readonly servers: readonly ConfiguredServer[]
  /** In the order of the file or of the `--plugin` flags; the kernel never sorts. */
  readonly plugins: readonly PluginEntry[]
  /** Absolute paths of `.policy` files. */
  readonly policies: readonly string[]
  /** `dir`: the data directory, absolute. `url`: of a PostgreSQL database, `redis`: of a Redis server, each with its password. */
  readonly store: { readonly dir: string; readonly url?: string; readonly redis?: string }
  readonly secrets: SecretsConfig
  readonly limits: LimitsConfig
  /** How tools are called downstream: `server__tool`, or the bare name where it is unique. */
  readonly names: 'qualified' | 'bare'
  /** A denied `tools/call`: a result with `isError`, or a JSON-RPC error. */
  readonly refusals: 'result' | 'error'
  readonly log: LogLevel
  /** `token`: whoever shows it reads `/metrics`, and nobody else. Absent: only programs on this machine read it. */
  readonly metrics: { readonly token?: string }
  /** Absent: no telemetry. */
  readonly telemetry?: TelemetryConfig
  /** What the gateway offers of itself; absent: nothing. */
  readonly gateway?: GatewayTools
  /** Absent: no server is registered while gateways run. */
  readonly registration?: RegistrationConfig
}

/** `tools`: names of operations, or globs. `operators`: tenants whose principals see and change what is there for all tenants. */
export interface GatewayTools {
  readonly tools: readonly string[]
  readonly operators: readonly string[]
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

export interface ListenConfig {
  readonly host: string
  readonly port: number
  /** Further values of `Host` and of `Origin` that are let in, beside those of the address itself. */
  readonly hosts: readonly string[]
  readonly origins: readonly string[]
  /** Addresses and ranges of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[]
  /** Each connection of a trusted proxy begins with a PROXY protocol header, version 2. */
  readonly proxyProtocol: boolean
  /** Open at once: in all, and from one address (IPv6: one /64) that is no trusted proxy. */
  readonly connections: { readonly total: number; readonly perAddress: number }
  /** Absent: plain HTTP. */
  readonly tls?: TlsConfig
}

/** `command`: prints the secret named by its last argument. Without it secrets are files in the data directory. */
export interface SecretsConfig {
  readonly command?: readonly string[]
}

export interface OverloadLimits {
  /** How late the event loop is, ms. */
  readonly lagMs: number
  /** Share of the heap that V8 may have. */
  readonly heap: number
  /** Calls that are under way at servers, or wait for a place there. */
  readonly pending: number
}

export interface LimitsConfig {
  readonly messageBytes: number
  readonly depth: number
  readonly keys: number
  readonly hookMs: number
  /** Over any of these, new calls are refused. */
  readonly overload: OverloadLimits
}

export interface PluginEntry {
  /** Built-in name, path, or package. */
  readonly name: string
  /** As written, references expanded; the plugin's own schema checks it. `{}` where only the name stands. */
  readonly config: unknown
  /** `open`: a failure counts as a pass; the loader allows it only for plugins that can do nothing. */
  readonly failure?: 'open' | 'closed'
  readonly at?: SourcePosition
}

/** A value that came into a server's environment or headers and is to be scrubbed from every way out. */
export interface InjectedSecret {
  readonly server: string
  readonly value: string
}

export const defaults: {
  readonly listen: ListenConfig
  readonly timeout: Required<ServerTimeouts>
  readonly server: ServerLimits
  readonly balance: Balance
  readonly processes: ProcessLimits
  readonly limits: LimitsConfig
  readonly names: GatewayConfig['names']
  readonly refusals: GatewayConfig['refusals']
  readonly log: LogLevel
  readonly dataDir: string
} = {
  listen: {
    host: '127.0.0.1',
    port: 3100,
    hosts: [],
    origins: [],
    trustedProxies: [],
    proxyProtocol: false,
    connections: { total: 10_000, perAddress: 1000 },
  },
  timeout: { startMs: 30_000, callMs: 60_000, maxMs: 3_600_000, idleMs: 600_000 },
  server: { concurrency: 256, queue: 1024 },
  balance: 'least-pending',
  processes: { processes: 128, memoryBytes: 4 * 1024 ** 3, files: 4096 },
  limits: { messageBytes: 16 * 1024 * 1024, depth: 64, keys: 200_000, hookMs: 5_000, overload: { lagMs: 500, heap: 0.9, pending: 10_000 } },
  names: 'qualified',
  refusals: 'result',
  log: 'info',
  dataDir: '.mcpgw',
}

/** Ids of servers; `gateway` is the gateway's own, and `__` separates server and tool. */
export const idPattern: RegExp = /^(?!.*__)(?!gateway$)[A-Z0-9][A-Z0-9_-]{0,31}$/i
