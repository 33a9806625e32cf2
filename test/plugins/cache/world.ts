// A stage for tests of the cache: whoever calls, over whichever revision, and servers that answer, fail, or cannot be reached.
import type { Capability, Hooks, JsonObject, JsonValue, Principal, Resource } from 'mcpgw/plugin'
import { allow, DecisionBasis, definePlugin, type Obligation, type Plugin, type StandardSchemaV1 } from 'mcpgw/plugin'
import { createFakeClock, type FakeClock, type Harness, harness } from 'mcpgw/testing'
import { onTestFinished } from 'vitest'
import { errorAnswer } from '../../../core/mcp/error-answer.ts'
import { Json } from '../../../core/mcp/json.ts'
import type { Answer, Outcome } from '../../../core/plugin/index.ts'
import cache from '../../../plugins/cache/index.ts'

const anything: StandardSchemaV1<unknown, object> = {
  '~standard': { version: 1, vendor: 'test', validate: value => ({ value: value as object }) },
}
export function plug(name: string, capabilities: readonly Capability[], hooks: Hooks, more: Partial<Plugin<object>> = {}): Plugin<object> {
  return definePlugin({ name, apiVersion: 1, config: anything, capabilities, setup: () => hooks, ...more })
}

/** What decides, as a test turns it. */
export interface Rules {
  digest: string
  duties(principal: Principal | undefined): readonly Obligation[]
}
export function decider(rules: Partial<Rules> = {}): { readonly plugin: Plugin<object>; readonly rules: Rules } {
  const own: Rules = { digest: 'v1', duties: () => [], ...rules }
  const hooks: Hooks = {
    onRequest: ({ principal, resource }) => ('server' in resource ? allow(['rule'], own.duties(principal)) : { kind: 'pass' }),
  }
  const plugin = definePlugin({
    name: 'decider',
    apiVersion: 1,
    config: anything,
    capabilities: ['decides'],
    provides: [DecisionBasis],
    setup(ctx) {
      ctx.provide(DecisionBasis, { digest: () => own.digest })
      return hooks
    },
  })
  return { plugin, rules: own }
}

export interface Ask {
  readonly action?: string
  readonly resource?: Resource
  readonly params?: JsonObject
  readonly principal?: Principal
  readonly protocolVersion?: string
  readonly sessionId?: string
  readonly path?: string
  readonly direction?: 'to-server' | 'to-client'
}
export interface Got {
  readonly answer: Answer | undefined
  readonly value: JsonValue | undefined
  /** The server was asked. */
  readonly asked: boolean
  readonly notes: ReadonlyMap<string, unknown>
}

/** A result, an error object of the server in `error`, or the code of an error of the gateway. */
export type Reply =
  | { readonly result: JsonValue }
  | { readonly error: JsonValue }
  | { readonly code: 'upstream-unavailable' | 'upstream-crashed' | 'upstream-timeout' | 'upstream-busy' | 'denied' }

export interface World extends Pick<Harness, 'kernel' | 'log' | 'stop'> {
  readonly clock: FakeClock
  /** How often the server was asked. */
  readonly asks: number
  answer: (ask: Ask) => Reply | Promise<Reply>
  call(ask?: Ask): Promise<Got>
  metric(name: string): number
}

export const reader: Principal = { id: 'ann', roles: ['reader'], tenant: 'acme', claims: {}, via: { method: 'test' } }
export const FOUND: JsonObject = { content: [{ type: 'text', text: 'found' }] }

let calls = 0

/** `before` and `after`: plugins around the cache. The server answers each time with another number. */
export async function world(
  config: object,
  {
    before = [],
    after = [],
  }: {
    readonly before?: readonly (Plugin<object> | { plugin: Plugin<never>; config?: unknown })[]
    readonly after?: readonly Plugin<object>[]
  } = {},
): Promise<World> {
  const clock = createFakeClock()
  const { kernel, log, stop } = await harness({ plugins: [...before, { plugin: cache, config }, ...after] as never, clock })
  onTestFinished(async () => void (await stop()))
  let asks = 0
  const own: World = {
    kernel,
    log,
    clock,
    stop,
    get asks() {
      return asks
    },
    answer: () => ({ result: { content: [{ type: 'text', text: `answer ${asks}` }] } }),
    async call(ask = {}) {
      const resource = ask.resource ?? { kind: 'call' as const, server: 'files', tool: 'read' }
      const { pipeline } = kernel
      const x = pipeline.openExchange({
        id: `call-${++calls}`,
        direction: ask.direction ?? 'to-server',
        action: ask.action ?? 'tools/call',
        resource: { ...resource },
        peer: { transport: 'http', header: () => [], ...(ask.path !== undefined && { path: ask.path }) },
        principal: 'principal' in ask ? ask.principal : reader,
        protocolVersion: ask.protocolVersion ?? '2025-11-25',
        sessionId: ask.sessionId,
        params: Json.of(ask.params ?? { name: 'read', arguments: { path: '/a' } }),
        at: clock.now(),
        mono: clock.mono(),
        cancel: new AbortController(),
      })
      const admission = await pipeline.admit(x)
      if (admission.kind === 'refused') {
        pipeline.settle(x, { kind: 'denied', decision: x.decision! })
        await pipeline.drain()
        return { answer: undefined, value: undefined, asked: false, notes: x.notes }
      }
      const isAsked = admission.kind === 'sealed'
      const answer = isAsked ? await fetch(ask) : admission.answer
      const shown = await pipeline.respond(x, answer)
      pipeline.settle(x, outcomeOf(shown))
      await pipeline.drain()
      return { answer: shown, value: shown.payload.value, asked: isAsked, notes: x.notes }
    },
    metric(name) {
      const line = kernel.metrics
        .render()
        .split('\n')
        .filter(one => one.startsWith(`mcpgw_cache_${name}`))
      return line.reduce((sum, one) => sum + Number(one.slice(one.lastIndexOf(' ') + 1)), 0)
    },
  }
  async function fetch(ask: Ask): Promise<Answer> {
    if (ask.direction === 'to-client') return { kind: 'result', payload: Json.of({}) }
    asks += 1
    const reply = await own.answer(ask)
    if ('code' in reply) return errorAnswer(reply.code)
    return 'error' in reply ? { kind: 'error', payload: Json.of(reply.error) } : { kind: 'result', payload: Json.of(reply.result) }
  }
  return own
}

function outcomeOf(answer: Answer): Outcome {
  if (answer.kind === 'error') return { kind: 'failed', cause: 'upstream-error', code: answer.code ?? 'upstream-error', answer }
  return { kind: 'answered', answer, isToolError: answer.isToolError === true }
}

export const text = (got: Got): string | undefined => (got.value as { content?: { text?: string }[] } | undefined)?.content?.[0]?.text
