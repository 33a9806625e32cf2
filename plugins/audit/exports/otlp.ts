// Brings events to a collector as OpenTelemetry log records: OTLP over HTTP, in JSON.
import type { Clock } from 'mcpgw/plugin'
import { showAddress } from '../addresses.ts'
import { type Batch, keyOf, type Limits, Refused, Rejected, type Target } from './batch.ts'
import { type AuditEvent, fieldsOf, type Severity, targetOf, textOf } from './event.ts'
import { post } from './webhook.ts'

export interface OtlpOptions {
  /** Whole address, such as `https://collector.example:4318/v1/logs`. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly timeout: number
  readonly clock: Pick<Clock, 'now'>
  /** Of this gateway. */
  readonly instance: string
  readonly version: string
}

/** Spec: these are tried again, any other no is for ever. */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504])
/** ms until what is refused for ever is tried all the same: a record that nobody has stays until somebody mends the collector. */
const REFUSED_MS = 60_000

const LIMITS: Limits = { records: 1000, bytes: 1_048_576 }
/** Spec: SeverityNumber of the logs data model. */
const SEVERITIES: { readonly [severity in Severity]: readonly [number, string] } = {
  info: [9, 'INFO'],
  notice: [12, 'NOTICE'],
  warning: [13, 'WARN'],
}

export function otlpTarget(options: OtlpOptions): Target {
  const { url, headers, timeout, clock } = options
  return {
    name: showAddress(url),
    limits: LIMITS,
    async deliver(batch, signal) {
      const all = { ...headers, 'content-type': 'application/json', 'idempotency-key': keyOf(batch) }
      try {
        const said = await post(url, JSON.stringify(toOtlp(batch, options)), all, { timeout, clock, signal })
        const count = rejectedIn(said)
        if (count > 0) throw new Rejected(Math.min(count, batch.events.length))
      } catch (error) {
        if (!(error instanceof Refused) || RETRYABLE.has(error.status)) throw error
        throw new Refused(`${error.message}: it does not take these records as they are`, error.status, REFUSED_MS)
      }
    },
  }
}

/** An ExportLogsServiceRequest. */
export function toOtlp(
  { events, lines }: Batch,
  { clock, instance, version }: Pick<OtlpOptions, 'clock' | 'instance' | 'version'>,
): object {
  const observed = nanoseconds(clock.now())
  const resource = { 'service.name': 'mcpgw', 'service.version': version, 'service.instance.id': instance }
  const logRecords = events.map((event, at) => describe(event, lines[at]!, observed))
  const scopeLogs = [{ scope: { name: 'mcpgw.audit', version }, logRecords }]
  return { resourceLogs: [{ resource: { attributes: attributesOf(resource) }, scopeLogs }] }
}

function describe(event: AuditEvent, line: string, observed: string): object {
  const { id, record, body, severity, status } = event
  const [severityNumber, severityText] = SEVERITIES[severity]
  const { callId, tenant, subject, server, errorCode } = body
  const attributes = attributesOf({
    'mcpgw.id': id,
    'mcpgw.stream': record.stream,
    'mcpgw.seq': record.seq,
    'mcpgw.status': status,
    'mcpgw.call_id': textOf(callId),
    'mcpgw.tenant': textOf(tenant),
    'mcpgw.server': textOf(server),
    'mcpgw.target': targetOf(body),
    'user.id': textOf(fieldsOf(body.actor).id) ?? textOf(subject),
    'client.address': textOf(fieldsOf(body.source).ip),
    'error.type': textOf(errorCode) ?? textOf(fieldsOf(body.decision).code),
  })
  return {
    timeUnixNano: nanoseconds(record.at),
    observedTimeUnixNano: observed,
    severityNumber,
    severityText,
    eventName: whole(`mcpgw.audit.${record.type}`),
    body: { stringValue: whole(line) },
    attributes,
    ...traceOf(body),
  }
}

/** Spec: `traceId` of 32 digits in hex. What was tampered with is no id. */
function traceOf({ traceId }: AuditEvent['body']): { readonly traceId?: string } {
  return typeof traceId === 'string' && /^[0-9a-f]{32}$/.test(traceId) ? { traceId } : {}
}

function attributesOf(values: Readonly<Record<string, string | number | undefined>>): readonly object[] {
  return Object.entries(values).flatMap(([key, value]) => {
    if (value === undefined) return []
    return [{ key, value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: whole(value) } }]
  })
}

/** Spec: unsigned, 64 bits. */
const nanoseconds = (ms: number): string => String(BigInt(Math.max(0, Math.min(1.8e13, Math.trunc(ms)))) * 1_000_000n)
/** Spec: strings are UTF-8, which half a character is not. */
const whole = (text: string): string => text.replace(/\p{Cs}/gu, '\ufffd')

/** Of an answer that is a success but for some records. Throws where no collector says such a thing. What else it says may quote a record. */
function rejectedIn(said: string): number {
  if (said.trim() === '') return 0
  const rejected = Number(fieldsOf(fieldsOf(parse(said)).partialSuccess).rejectedLogRecords ?? 0)
  if (!Number.isSafeInteger(rejected) || rejected < 0) throw new Error('the answer is not that of a collector')
  return rejected
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error('the answer is not that of a collector')
  }
}
