// The trace that a request belongs to, as it is told onward: our own where there is telemetry, else the one that it came with.
import { type LiveExchange, stateOf } from '../exchange.ts'
import { parentOf } from './parent-of.ts'
import { readTraceparent, TRACEPARENT, writeTraceparent } from './trace-context.ts'

/** As `traceparent`; undefined where it belongs to none. */
export function traceOf(x: LiveExchange): string | undefined {
  const { span, init } = stateOf(x)
  const context = span?.context ?? parentOf(init.params, init.peer) ?? readTraceparent(init.peer.header(TRACEPARENT)[0])
  return context && writeTraceparent(context)
}
