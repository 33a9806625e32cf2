// What a request is a part of, as it says itself: also where there is no telemetry, for the record and for what is told onward.
import { CALLER, traceparentIn } from '../mcp/caller.ts'
import type { Json } from '../mcp/json.ts'
import type { Peer } from '../plugin/index.ts'
import { readTraceparent, TRACEPARENT, type TraceContext } from './trace-context.ts'

/** In `_meta`, or where another gateway says so for it. */
export function parentOf(params: Json, peer: Peer): TraceContext | undefined {
  return readTraceparent(params.get('_meta')?.string(TRACEPARENT)) ?? readTraceparent(traceparentIn(peer.header(CALLER.header)))
}
