// Makes the spans: one for each exchange, below it one for each request to a server and one for each hook. Names: semantic conventions for MCP.
import type { ServerConfig } from '../config/schema.ts'
import { type LiveExchange, stateOf } from '../exchange.ts'
import { Json } from '../mcp/json.ts'
import type { Clock, Outcome } from '../plugin/index.ts'
import { describeAnswer, describeCall, describeContent, describeOutcome, describePlace, nameSpan } from './attributes.ts'
import { SPAN } from './names.ts'
import { parentOf } from './parent-of.ts'
import type { CallSpan, SentSpan, Span } from './span.ts'
import { isInShare, newSpanId, newTraceId, readTraceparent, TRACEPARENT, type TraceContext, writeTraceparent } from './trace-context.ts'
import { traceHooks } from './trace-hooks.ts'
import type { Tracing } from './tracing.ts'

export interface TracerOptions {
  /** Share of the traces that begin here which are kept; of others whoever began them has said. */
  readonly sample: number
  readonly clock: Pick<Clock, 'mono'>
  /** Arguments and results as they may be shown; undefined: they are not. */
  readonly show: ((text: string) => string) | undefined
  keep(span: Span): void
}

const NO_PARAMS = Json.of({})

export function createTracer(options: TracerOptions): Tracing {
  return {
    observer: {
      opened(x) {
        // What carries no request is nobody's operation.
        if (x.action !== 'session') stateOf(x).span = open(x, options)
      },
      settled(x, outcome) {
        const { span } = stateOf(x)
        if (span instanceof ExchangeSpan) span.end(outcome)
      },
      refused() {},
    },
    hooks: guard => traceHooks(guard, options.clock),
  }
}

function open(x: LiveExchange, options: TracerOptions): ExchangeSpan {
  const parent = parentOf(stateOf(x).init.params, x.peer)
  const ambient = readTraceparent(x.peer.header(TRACEPARENT)[0])
  const traceId = parent?.traceId ?? newTraceId()
  const isSampled = parent?.isSampled ?? isInShare(traceId, options.sample)
  return new ExchangeSpan(x, options, { traceId, spanId: newSpanId(), isSampled }, parent?.spanId, ambient === undefined ? [] : [ambient])
}

class ExchangeSpan implements CallSpan {
  readonly context: TraceContext
  readonly #x: LiveExchange
  readonly #options: TracerOptions
  readonly #parentId: string | undefined
  readonly #links: readonly TraceContext[]

  constructor(
    x: LiveExchange,
    options: TracerOptions,
    context: TraceContext,
    parentId: string | undefined,
    links: readonly TraceContext[],
  ) {
    this.context = context
    this.#x = x
    this.#options = options
    this.#parentId = parentId
    this.#links = links
  }

  toServer(server: ServerConfig, method: string, params: Json | undefined): SentSpan {
    const since = this.#options.clock.mono()
    const context: TraceContext = { ...this.context, spanId: newSpanId() }
    return {
      params: withTraceparent(params ?? NO_PARAMS, writeTraceparent(context)),
      end: answer => {
        if (!context.isSampled) return
        const { resource } = this.#x
        this.#keep(context, this.context.spanId, {
          name: nameSpan(method, resource),
          kind: 'client',
          since,
          attributes: { ...describeCall(method, resource), ...describePlace(server), ...describeAnswer(answer, resource) },
        })
      },
    }
  }

  hook(plugin: string, hook: string, since: number, failure: string | undefined): void {
    if (!this.context.isSampled) return
    this.#keep({ ...this.context, spanId: newSpanId() }, this.context.spanId, {
      name: `${plugin} ${hook}`,
      kind: 'internal',
      since,
      attributes: { [SPAN.plugin]: plugin, [SPAN.hook]: hook, [SPAN.errorType]: failure },
    })
  }

  end(outcome: Outcome): void {
    if (!this.context.isSampled) return
    const x = this.#x
    const { show } = this.#options
    this.#keep(
      this.context,
      this.#parentId,
      {
        name: nameSpan(x.action, x.resource),
        kind: 'server',
        since: x.mono,
        attributes: {
          ...describeCall(x.action, x.resource),
          [SPAN.protocol]: x.protocolVersion,
          [SPAN.transport]: x.peer.transport === 'stdio' ? 'pipe' : 'tcp',
          [SPAN.callId]: x.id,
          ...describeOutcome(x, outcome),
          ...(show !== undefined && describeContent(x, outcome, show)),
        },
      },
      this.#links,
    )
  }

  #keep(
    context: TraceContext,
    parentId: string | undefined,
    { since, ...span }: Pick<Span, 'name' | 'kind' | 'attributes'> & { since: number },
    links: readonly TraceContext[] = [],
  ): void {
    const { at, mono } = this.#x
    const timeOf = (moment: number): number => at + moment - mono
    this.#options.keep({ context, parentId, links, ...span, start: timeOf(since), end: timeOf(this.#options.clock.mono()) })
  }
}

/** In place of the caller's own, whose trace it belongs to all the same. What stands there and is no object stays as it is. */
function withTraceparent(params: Json, text: string): Json {
  const meta = params.get('_meta') ?? NO_PARAMS
  return meta.type === 'object' ? params.with({ _meta: meta.with({ [TRACEPARENT]: Json.of(text) }) }) : params
}
