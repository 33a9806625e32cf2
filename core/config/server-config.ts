// Servers in the checked config: what each is, and what calls go to. No run-time dependency, so that anyone may import it.

import type { RestTool } from '../upstream/rest/tool.ts'
import type { About } from './about.ts'
import type { ServerAuth } from './auth-schema.ts'

/** 1-based line and column; `column` counts UTF-16 units. */
export interface SourcePosition {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** As it stands in a config. */
export type ConfiguredServer = ReachedServer | VersionedServer
/** As it is known by its id; `versionsOf` gives what calls go to. */
export type ListedServer = ConfiguredServer | InnerServer
/** Whatever calls may go to. */
export type ServerConfig = ReachedServer | InnerServer
export type ReachedServer = ChildServer | AddressedServer
/** Reached over HTTP, at its url and nowhere else. */
export type AddressedServer = RemoteServer | RestServer

interface ServerIdentity extends About {
  readonly id: string
  readonly name: string
  readonly enabled: boolean
  /** For principals of these tenants only; absent: for all. */
  readonly tenants?: readonly string[]
  readonly at?: SourcePosition
}

/** Several versions side by side under one id: each caller has one of them. */
export interface VersionedServer extends ServerIdentity {
  readonly kind: 'versioned'
  readonly versions: readonly ServerVersion[]
}

export interface ServerVersion {
  /** Share of the callers who are pinned to none, to the sum of all; 0: none of them. */
  readonly weight: number
  /** Whoever fits any of these has this version. */
  readonly pins: VersionPins
  /** With the id of all, and its own `version`. */
  readonly server: ReachedServer
}

export type VersionPins = Readonly<Record<'roles' | 'consumers' | 'tenants', readonly string[]>>

interface ServerCommon extends ServerIdentity {
  /** What it is called in lists and records; of several versions, which one this is. */
  readonly version?: string
  /** One process or connection for all principals. */
  readonly shared: boolean
  /** What it speaks; `auto`: found out. `sse`: HTTP with server-sent events as of 2024-11-05, for a remote server. */
  readonly protocol: ServerProtocol
  readonly timeout: ServerTimeouts
  /** Absent: the defaults. */
  readonly limits?: ServerLimits
  /** Where there are several instances; `places.ts` makes a server of each, with `instance` set. */
  readonly balance?: Balance
  /** From 1. */
  readonly instance?: number
}

/** Which of several instances takes a call; `by-principal`: the same for one caller, as long as it is there. */
export type Balance = 'round-robin' | 'least-pending' | 'by-principal'

export type ServerProtocol = 'auto' | 'modern' | 'legacy' | 'sse'

export interface ChildServer extends ServerCommon {
  readonly kind: 'child'
  readonly command: string
  readonly args: readonly string[]
  /** Exactly what is declared, references expanded; the supervisor adds its allow-list. */
  readonly env: Readonly<Record<string, string>>
  /** Absolute. */
  readonly cwd?: string
  /** `group`: no PID namespace even where there could be one. Absent: auto. */
  readonly isolation?: 'auto' | 'group'
  /** Absent: the defaults. */
  readonly processes?: ProcessLimits
  readonly instances?: number
}

/** The gateway's own tools, as a server like any other. */
export interface InnerServer extends ServerCommon {
  readonly kind: 'inner'
}

interface Addressed extends ServerCommon {
  readonly url: string
  /** On the public internet alone, whatever its names lead to. */
  readonly isPublic?: true
  readonly headers: Readonly<Record<string, string>>
  /** Where the gateway gets the bearer token that it shows there. */
  readonly auth?: ServerAuth
  /** The first has the url of the server; headers are added to its own. */
  readonly instances?: readonly { readonly url: string; readonly headers?: Readonly<Record<string, string>> | undefined }[]
}

export interface RemoteServer extends Addressed {
  readonly kind: 'remote'
}

/** Versions of one server share it. */
export function authOf(server: ListedServer): ServerAuth | undefined {
  if (server.kind === 'versioned') return server.versions.map(one => authOf(one.server)).find(auth => auth !== undefined)
  return server.kind === 'remote' || server.kind === 'rest' ? server.auth : undefined
}

/** Plain HTTP: each call of a tool is one request. */
export interface RestServer extends Addressed {
  readonly kind: 'rest'
  readonly tools: readonly RestTool[]
}

/** Milliseconds; 0 = none. `callMs` starts again with each progress of a call, `maxMs` (absent: none) does not; `idleMs` is for idleness. */
export interface ServerTimeouts {
  readonly startMs: number
  readonly callMs: number
  readonly maxMs?: number
  readonly idleMs: number
}

/** Over all lanes to the server. */
export interface ServerLimits {
  /** Calls under way at once; 0 = any number. */
  readonly concurrency: number
  /** Calls that wait for one of them to end; 0 = none waits. */
  readonly queue: number
}

/** What all processes of one start of a server may take together; `files`: open files of each. */
export interface ProcessLimits {
  readonly processes: number
  readonly memoryBytes: number
  readonly files: number
}
