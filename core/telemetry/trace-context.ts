// Which trace something belongs to, as it is told from one program to the next. Spec: W3C Trace Context; of MCP, in `params._meta`.
import { randomBytes } from 'node:crypto'

/** Ids in lower-case hex. */
export interface TraceContext {
  readonly traceId: string
  readonly spanId: string
  /** Whoever began it wants it kept. */
  readonly isSampled: boolean
}

/** The member of `_meta`, and the header. */
export const TRACEPARENT = 'traceparent'

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** Undefined where it is not one, whatever it is: a trace of our own begins. */
export function readTraceparent(text: string | undefined): TraceContext | undefined {
  if (text === undefined || text.length > 512) return undefined
  const [, version, traceId = '', spanId = '', flags = '', more] = FORM.exec(text) ?? []
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

export function writeTraceparent({ traceId, spanId, isSampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`
}

export function newTraceId(): string {
  return randomBytes(16).toString('hex')
}

export function newSpanId(): string {
  return randomBytes(8).toString('hex')
}

const HALF = 2 ** 52

/** The same trace is in or out everywhere, by its id. Spec: TraceIdRatioBased goes by the last bytes too. */
export function isInShare(traceId: string, share: number): boolean {
  return Number.parseInt(traceId.slice(-13), 16) / HALF < share
}
