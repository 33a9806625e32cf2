// The contract between the gateway and a plugin: phased hooks that return data. The kernel alone decides what happens next.

import type { ApartJob } from './apart.ts'
import type { Command } from './command.ts'
import type { Answer, Exchange, Obligation, Outcome, Peer, Principal } from './exchange.ts'
import type { ExplainedCode } from './explained-code.ts'
import type { Clock, Log, Metrics } from './host.ts'
import type { JsonValue, Payload } from './json.ts'
import type { Operation } from './operation.ts'
import type { RecordReader, RecordReaderIo } from './outcomes.ts'
import type { Outgoing } from './outgoing.ts'
import type { PersonalData } from './personal.ts'
import type { Refused } from './refused.ts'
import type { StandardSchemaV1 } from './schema.ts'
import type { Operator, Service } from './service.ts'
import type { Migrations, Stores } from './store.ts'
import type {
  ConnectionVerdict,
  DischargeVerdict,
  ListVerdict,
  NotificationVerdict,
  RequestVerdict,
  ResponseVerdict,
  SealedVerdict,
} from './verdict.ts'

export type Awaitable<T> = T | Promise<T>

/**
 * What a plugin may do. A verdict whose capability was not declared is a refusal.
 * `authenticates`: identify. `decides`: allow. `masks`: derive sent params and mask answers. `records`: its failure stops the call.
 * `answers`: answer in the server's place. `rewrites-request`, `rewrites-response`: change params before the seal, results after.
 * `narrows-list`: take items out of lists. Every plugin may deny.
 */
export type Capability =
  | 'authenticates'
  | 'decides'
  | 'masks'
  | 'records'
  | 'answers'
  | 'rewrites-request'
  | 'rewrites-response'
  | 'narrows-list'

export interface Plugin<C = unknown> {
  /** = folder = config word = log, metric and error prefix. Lower case, digits and dashes. */
  readonly name: string
  readonly apiVersion: 1
  /** Strict: an unknown key is an error. Gets `{}` where the config has only the name. */
  readonly config: StandardSchemaV1<unknown, C>
  readonly capabilities: readonly Capability[] | ((config: C) => readonly Capability[])
  readonly provides?: readonly Service<unknown>[]
  /** Provided by a plugin that stands earlier in the order. */
  readonly requires?: readonly Service<unknown>[]
  /** Names of obligations that `discharge` can carry out. */
  readonly discharges?: readonly string[]
  /** Its verbs of the command line, loaded when called. */
  readonly commands?: readonly Command<C>[]
  /** What it keeps in the database of `store.url`, where the config names one, for `mcpgw migrate`. The schema is its own: `mcpgw_NAME`, or another that nobody else has. */
  readonly tables?: Migrations
  /** The codes of its own findings, by code, for `mcpgw explain`; asked for only then. */
  explains?(): Awaitable<Readonly<Record<string, ExplainedCode>>>
  /** What it keeps about people beyond its process, for `mcpgw privacy`; asked for only then. */
  personal?(): Awaitable<PersonalData<C>>
  /**
   * Holds its config against the rest: before `setup`, and again before servers come, change or go while the gateway runs. A throw stops the
   * start, or leaves the servers as they are.
   */
  fits?(config: C, gateway: GatewayFacts): void
  /** How far it has read the durable record, which keeps the rest for it; asked also while the plugin is not started. Rejects where it cannot be told. */
  readThrough?(io: RecordReaderIo<C>): Awaitable<RecordReader['through']>
  /** Compile config into matchers here; nothing is served yet. A throw stops the start and names the plugin. */
  setup(ctx: PluginContext<C>): Awaitable<Hooks>
}

/** What the config says beside the plugins. */
export interface GatewayFacts {
  /** Ids of all servers, whether they are enabled or not. */
  readonly servers: readonly string[]
  /** Whether the listener asks clients for certificates, and verifies them. */
  readonly asksForCertificates: boolean
}

export interface PluginContext<C = unknown> {
  readonly config: C
  readonly log: Log
  readonly clock: Clock
  readonly metrics: Metrics
  readonly stores: Stores
  /** This instance of the gateway: `boot` is new at every start. */
  readonly instance: {
    readonly id: string
    readonly boot: string
    readonly version: string
    /** Whose process it is. */
    readonly operator?: Operator
  }
  /** The order that was proven, by plugin name; and whether a deciding plugin is among them. */
  readonly order: readonly string[]
  readonly open: boolean
  /** Obligations that the loaded plugins carry out, sorted. */
  readonly dischargers: readonly string[]
  provide<T>(service: Service<T>, value: T): void
  /** A service from `requires`. Throws where it was not declared. */
  use<T>(service: Service<T>): T
  /** A service that may be absent and may stand later in the order; ask in `start` or later. */
  find<T>(service: Service<T>): T | undefined
  /** Removes the values of injected secrets from a text (raw, JSON-escaped, base64, URL-encoded). */
  scrub(text: string): string
  /** The way out for requests of its own. */
  readonly outgoing: Outgoing
  /**
   * Shows a JSON document to everybody at `/.well-known/NAME` and below, by GET. `read` gets what follows the name (`''`, `/mcp/crm`) and the
   * value of `Host`; what is undefined is not there. In `setup`; throws where the name is taken.
   */
  publish(name: string, read: (rest: string, host: string) => JsonValue | undefined): void
  /** Has the gateway be asked or told this, by whoever may. In `setup`; throws where its name or route is taken. */
  offer(operation: Operation): void
  /** Ends the sessions, streams and requests of all callers that are meant, at once, e.g. because their credential no longer holds. How many ended; the requests of a session that ended are among them. */
  expel(isMeant: (principal: Principal) => boolean): { readonly sessions: number; readonly requests: number }
  /** A condition shown in health; `undefined` clears it. */
  health(state: { readonly status: 'degraded' | 'failing'; readonly why: string } | undefined): void
  /**
   * Has it done in a process of its own: for what would hold up calls. Resolves to what the work resolves to, once the process has ended;
   * rejects where it fails or the process is ended by somebody else.
   */
  apart(job: ApartJob): Promise<unknown>
  /** The plugins of the config that read the durable record. Rejects where one cannot tell how far it is: then nothing may go. */
  readers(): Promise<readonly RecordReader[]>
  /** Runs at stop, in reverse order of registration, also where a later plugin's setup failed. */
  onStop(release: () => Awaitable<void>): void
}

/** All optional. Verdicts may be returned or promised; a throw, a time-out or anything else is a refusal. */
export interface Hooks {
  /** After every plugin is set up, before anything is served; in config order. */
  start?(): Awaitable<void>
  /** A peer connects. May refuse an address; a connection is not an identity. */
  onConnection?(peer: Peer): Awaitable<ConnectionVerdict>
  /** In config order. After the first allow only maskers may still rewrite; deny is always possible. */
  onRequest?(exchange: Exchange): Awaitable<RequestVerdict>
  /** In config order, obligations done: the last chance to refuse, and where a recorder makes its intent durable. */
  onSealed?(exchange: Exchange): Awaitable<SealedVerdict>
  /** A merged list before it is shown. */
  onList?(exchange: Exchange, items: readonly ListItem[]): Awaitable<ListVerdict>
  /** Each notification of an exchange, or of a session where `exchange` is undefined; reverse order. Also a client's progress and cancellations. */
  onNotification?(exchange: Exchange | undefined, notification: Notification): Awaitable<NotificationVerdict>
  /** The final result or error, reverse order, before the reply. A deny withholds the answer. */
  onResponse?(exchange: Exchange, answer: Answer): Awaitable<ResponseVerdict>
  /** Carries out one obligation at each stage of the exchange. */
  discharge?(obligation: Obligation, stage: DischargeStage): Awaitable<DischargeVerdict>
  /** Always, for every plugin that was entered, after the reply; reverse order. */
  onSettled?(exchange: Exchange, outcome: Outcome): Awaitable<void>
  /**
   * A connection or request was refused before there was an exchange, so that no other hook hears of it: a refused address, host or origin,
   * an unknown path or session, a message that is none. In config order, after the answer. Anybody can cause these without end: be cheap.
   */
  onRefused?(refused: Refused): Awaitable<void>
  /** A server has changed what it has, or may have: what was kept of it may no longer be so. Anybody's lane may tell; in config order. Be cheap. */
  onServerChange?(change: ServerChange): Awaitable<void>
  /** The peer of `onConnection` has gone. */
  onClose?(peer: Peer): Awaitable<void>
  /** Somebody asks to read again what lies in files of its own (SIGHUP). What cannot be used leaves in force what is. */
  reload?(): Awaitable<void>
}

export type DischargeStage =
  | { readonly at: 'request'; readonly exchange: Exchange }
  | {
      readonly at: 'notification'
      readonly exchange: Exchange
      readonly notification: Notification
    }
  | {
      readonly at: 'answer'
      readonly exchange: Exchange
      readonly answer: Answer
    }

/** `resources`: the list of them, or what is in one. */
export interface ServerChange {
  readonly server: string
  readonly of: 'tools' | 'resources' | 'prompts'
}

/** `method` e.g. `notifications/progress`; `params` as it will be sent. */
export interface Notification {
  readonly method: string
  readonly params: Payload
}

/** One entry of a merged list: `name` as the server calls it (a uri for resources and templates). */
export interface ListItem {
  readonly server: string
  /** Of the server, where its config names one. */
  readonly version?: string
  readonly name: string
  readonly definition: Payload
}

/** Gives a plugin its types; returns its argument. */
export function definePlugin<C>(plugin: Plugin<C>): Plugin<C> {
  return plugin
}
