// Boots the real kernel with given plugins, and takes calls through the real pipeline to servers that exist only in the test.
import type { LiveExchange } from '../exchange.ts'
import { type BootFailure, boot, isBootFailure, type Kernel, type StopReport } from '../kernel.ts'
import type { AnyPlugin, PluginEntry } from '../loader.ts'
import { Json } from '../mcp/json.ts'
import type {
  Answer,
  Exchange,
  JsonObject,
  JsonValue,
  Log,
  Notification,
  Outcome,
  Peer,
  Principal,
  Resource,
  Stores,
} from '../plugin/index.ts'
import type { Refusal } from '../refusal.ts'
import { createFakeClock, type FakeClock } from './fake-clock.ts'
import { createFakeUpstream, type FakeUpstream } from './fake-upstream.ts'

export interface HarnessOptions {
  /** In order; a plugin alone gets the config `{}`. */
  readonly plugins: readonly (AnyPlugin | Given)[]
  /** Milliseconds of the fake clock that a hook may take; default 5000. */
  readonly hookMs?: number
  readonly clock?: FakeClock
  readonly upstream?: FakeUpstream
  /** Where plugins open their databases; without it, opening one is an error. */
  readonly stores?: Stores
  readonly scrub?: (text: string) => string
  /** Of this instance; default `boot-1`. Where the stores are those of an earlier start, it is a new one. */
  readonly boot?: string
}

export interface Given {
  readonly plugin: AnyPlugin
  readonly config?: unknown
  readonly failure?: 'open' | 'closed'
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

export interface CallOptions {
  /** Of the session; it counts only where no loaded plugin authenticates. */
  readonly principal?: Principal
  readonly headers?: Readonly<Record<string, string>>
  readonly ip?: string
  readonly transport?: Peer['transport']
  readonly signal?: AbortSignal
  readonly direction?: Exchange['direction']
}

export interface Called {
  /** Where the pipeline refused it. */
  readonly refusal?: Refusal
  /** As the client gets it. */
  readonly answer?: Answer
  /** The payload of the answer: a result or an error object. */
  readonly value?: JsonValue
  /** As the client gets them. */
  readonly notifications: readonly Notification[]
  readonly exchange: LiveExchange
  readonly outcome: Outcome
}

export interface Harness {
  readonly kernel: Kernel
  readonly clock: FakeClock
  readonly upstream: FakeUpstream
  readonly log: readonly LogLine[]
  /** tools/call, from arrival until every plugin has heard how it ended. */
  call(server: string, tool: string, args?: JsonObject, options?: CallOptions): Promise<Called>
  /** Any other request. */
  send(method: string, resource: Resource, params?: JsonObject, options?: CallOptions): Promise<Called>
  stop(): Promise<StopReport>
}

/** Throws where the plugins do not boot; the message names each finding. */
export async function harness(options: HarnessOptions): Promise<Harness> {
  const clock = options.clock ?? createFakeClock()
  const upstream = options.upstream ?? createFakeUpstream()
  const log: LogLine[] = []
  const booted = await boot(
    { plugins: options.plugins.map(toEntry), limits: { hookMs: options.hookMs ?? 5_000 } },
    {
      clock,
      log: collect(log),
      stores: options.stores ?? refusingStores,
      instance: { id: 'test', boot: options.boot ?? 'boot-1', version: '0.0.0' },
      ...(options.scrub && { scrub: options.scrub }),
    },
  )
  if (isBootFailure(booted)) throw new Error(describeFailure(booted))
  let calls = 0
  const send: Harness['send'] = (method, resource, params = {}, how = {}) => {
    calls += 1
    return takeThrough({ kernel: booted, clock, upstream }, `call-${calls}`, method, resource, params, how)
  }
  return {
    kernel: booted,
    clock,
    upstream,
    log,
    send,
    call: (server, tool, args, how) =>
      send('tools/call', { kind: 'call', server, tool }, { name: tool, ...(args !== undefined && { arguments: args }) }, how),
    stop: () => booted.stop(),
  }
}

type World = Pick<Harness, 'kernel' | 'clock' | 'upstream'>

async function takeThrough(
  world: World,
  id: string,
  method: string,
  resource: Resource,
  params: JsonObject,
  how: CallOptions,
): Promise<Called> {
  const { pipeline } = world.kernel
  const exchange = pipeline.openExchange({
    id,
    direction: how.direction ?? 'to-server',
    action: method,
    resource: { ...resource },
    peer: toPeer(how),
    ...(how.principal && { principal: how.principal }),
    params: Json.of(params),
    at: world.clock.now(),
    mono: world.clock.mono(),
    cancel: { signal: how.signal ?? new AbortController().signal },
  })
  const notifications: Notification[] = []
  const called = await answer(world, exchange, notifications)
  pipeline.settle(exchange, called.outcome)
  await pipeline.drain()
  return { ...called, notifications, exchange }
}

async function answer(
  world: World,
  x: LiveExchange,
  shown: Notification[],
): Promise<Pick<Called, 'refusal' | 'answer' | 'value' | 'outcome'>> {
  const { pipeline } = world.kernel
  const admission = await pipeline.admit(x)
  if (admission.kind === 'refused') return { refusal: admission.refusal, outcome: { kind: 'denied', decision: x.decision! } }
  const notify = async (method: string, params: JsonObject): Promise<void> => {
    const notification = await pipeline.notify(x, { method, params: Json.of(params) })
    if (notification !== undefined) shown.push(notification)
  }
  const server = 'server' in x.resource ? x.resource.server : ''
  const got =
    admission.kind === 'answered' ? admission.answer : await world.upstream.send({ server, method: x.action, params: x.sent }, { notify })
  const given = await pipeline.respond(x, got)
  return { answer: given, value: given.payload.value, outcome: toOutcome(given) }
}

function toOutcome(given: Answer): Outcome {
  if (given.kind === 'error') {
    const withheld = given.code === 'withheld'
    return { kind: 'failed', cause: withheld ? 'withheld' : 'upstream-error', code: given.code ?? 'upstream-error', answer: given }
  }
  return { kind: 'answered', answer: given, isToolError: (given.payload as Json).get('isError')?.value === true }
}

function toPeer({ headers = {}, ip, transport }: CallOptions): Peer {
  const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [value]]))
  return { transport: transport ?? 'http', ...(ip !== undefined && { ip }), header: name => lower.get(name) ?? [] }
}

function toEntry(given: AnyPlugin | Given): PluginEntry {
  const { plugin, config, failure }: Given = 'setup' in given ? { plugin: given } : given
  return { name: plugin.name, plugin, config: config ?? {}, failure }
}

function collect(lines: LogLine[]): Log {
  const at =
    (level: LogLine['level']) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void =>
      void lines.push({ level, message, fields })
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** Stores of a test that gave none. */
export const refusingStores: Stores = {
  open: () => refuseStore(),
  writer: () => refuseStore(),
  resolve: path => path,
  key: () => refuseStore(),
  createPrivate: () => refuseStore(),
  postgres: () => undefined,
  redis: () => undefined,
}

function refuseStore(): never {
  throw new Error('this harness has no stores: give it some')
}

function describeFailure({ findings }: BootFailure): string {
  return findings.map(({ code, message, help }) => [`${code}: ${message}`, ...(help ? [`  ${help}`] : [])].join('\n')).join('\n')
}
