// The trace that a request belongs to, as it is told onward: our own where there is telemetry, else the one that it came with.
import { type LiveExchange, stateOf } from '../exchange.ts'
import { CALLER, traceparentIn } from '../mcp/caller.ts'
import type { Json } from '../mcp/json.ts'
import type { Peer } from '../plugin/index.ts'
import { readTraceparent, TRACEPARENT, type TraceContext, writeTraceparent } from './trace-context.ts'

/** As `traceparent`; undefined where it belongs to none. */
export function traceOf(x: LiveExchange): string | undefined {
  const { span, init } = stateOf(x)
  const context = span?.context ?? parentOf(init.params, init.peer) ?? readTraceparent(init.peer.header(TRACEPARENT)[0])
  return context && writeTraceparent(context)
}

/** What a request is a part of, as it says itself: in `_meta`, or where another gateway says so for it. */
export function parentOf(params: Json, peer: Peer): TraceContext | undefined {
  return readTraceparent(params.get('_meta')?.string(TRACEPARENT)) ?? readTraceparent(traceparentIn(peer.header(CALLER.header)))
}
