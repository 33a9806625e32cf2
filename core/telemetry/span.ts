// What a span is, and what the way of a call knows of telemetry: nothing but these types, so that it costs nothing where there is none.
import type { ServerConfig } from '../config/schema.ts'
import type { Json } from '../mcp/json.ts'
import type { Answer } from '../plugin/index.ts'
import type { TraceContext } from './trace-context.ts'

export interface Span {
  readonly context: TraceContext
  readonly parentId: string | undefined
  readonly name: string
  readonly kind: 'internal' | 'server' | 'client'
  /** Milliseconds since 1970, and parts of them. */
  readonly start: number
  readonly end: number
  readonly attributes: Readonly<Record<string, string | number | undefined>>
  readonly links: readonly TraceContext[]
}

/** The span of an exchange while it is under way. */
export interface CallSpan {
  readonly context: TraceContext
  /** Begins a request to a server, as a part of this. */
  toServer(server: ServerConfig, method: string, params: Json | undefined): SentSpan
  hook(plugin: string, hook: string, since: number, failure: string | undefined): void
}

export interface SentSpan {
  /** What is sent in place of the params: in `_meta` it says to which trace it belongs. */
  readonly params: Json
  /** Undefined where there is none: that is a bug. */
  end(answer: Answer | undefined): void
}
