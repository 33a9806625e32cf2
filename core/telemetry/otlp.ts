// Spans and metrics as a collector takes them: OTLP in JSON. Spec: opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding".
import type { Metric } from '../metrics.ts'
import { LABELS, METRICS, RESOURCE, SCOPE, SPAN } from './names.ts'
import type { Span } from './span.ts'

/** What is told of: this gateway. */
export interface Teller {
  readonly version: string
  /** Of this instance. */
  readonly instance: string
}

const KINDS: { readonly [kind in Span['kind']]: number } = { internal: 1, server: 2, client: 3 }
const ERROR = 2
const CUMULATIVE = 2

export function encodeSpans(spans: readonly Span[], teller: Teller): string {
  const scopeSpans = [{ scope: scopeOf(teller), spans: spans.map(encodeSpan) }]
  return JSON.stringify({ resourceSpans: [{ resource: resourceOf(teller), scopeSpans }] })
}

/** `since`, `now`: milliseconds since 1970; what is counted began then. */
export function encodeMetrics(metrics: readonly Metric[], teller: Teller, since: number, now: number): string {
  const at = { startTimeUnixNano: nanoseconds(since), timeUnixNano: nanoseconds(now) }
  const scopeMetrics = [{ scope: scopeOf(teller), metrics: metrics.map(metric => encodeMetric(metric, at)) }]
  return JSON.stringify({ resourceMetrics: [{ resource: resourceOf(teller), scopeMetrics }] })
}

function encodeSpan({ context, parentId, name, kind, start, end, attributes, links }: Span): object {
  return {
    traceId: context.traceId,
    spanId: context.spanId,
    ...(parentId !== undefined && { parentSpanId: parentId }),
    // Spec: bit 0: sampled.
    flags: 1,
    name: whole(name),
    kind: KINDS[kind],
    startTimeUnixNano: nanoseconds(start),
    endTimeUnixNano: nanoseconds(end),
    attributes: attributesOf(attributes),
    ...(links.length > 0 && { links: links.map(({ traceId, spanId }) => ({ traceId, spanId })) }),
    status: attributes[SPAN.errorType] === undefined ? {} : { code: ERROR },
  }
}

function encodeMetric(metric: Metric, at: object): object {
  const { name, help } = metric
  const about = { name: METRICS[name] ?? name, description: help, ...(name.endsWith('_seconds') && { unit: 's' }) }
  if (metric.kind === 'histogram') {
    const dataPoints = [...metric.series.all()].map(({ labels, cell: { bounds, counts, sum, count } }) => ({
      ...at,
      attributes: labelled(labels),
      count: String(count),
      sum,
      explicitBounds: bounds,
      bucketCounts: [...counts, count - counts.reduce((all, one) => all + one, 0)].map(String),
    }))
    return { ...about, histogram: { aggregationTemporality: CUMULATIVE, dataPoints } }
  }
  const dataPoints = [...metric.series.all()].map(({ labels, cell }) => ({ ...at, attributes: labelled(labels), asDouble: cell.value }))
  if (metric.kind === 'gauge') return { ...about, gauge: { dataPoints } }
  return { ...about, sum: { aggregationTemporality: CUMULATIVE, isMonotonic: true, dataPoints } }
}

function labelled(labels: Readonly<Record<string, string>>): readonly object[] {
  return attributesOf(Object.fromEntries(Object.entries(labels).map(([label, value]) => [LABELS[label] ?? label, value])))
}

function resourceOf({ version, instance }: Teller): object {
  return { attributes: attributesOf({ [RESOURCE.name]: 'mcpgw', [RESOURCE.version]: version, [RESOURCE.instance]: instance }) }
}

function scopeOf({ version }: Teller): object {
  return { name: SCOPE, version }
}

function attributesOf(values: Span['attributes']): readonly object[] {
  return Object.entries(values).flatMap(([key, value]) => {
    if (value === undefined) return []
    return [{ key, value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: whole(value) } }]
  })
}

/** Spec: unsigned, 64 bits. A double has no room for nanoseconds, but for microseconds. */
function nanoseconds(ms: number): string {
  return String(BigInt(Math.max(0, Math.round(ms * 1000))) * 1000n)
}

/** Spec: strings are UTF-8, which half a character is not. */
function whole(text: string): string {
  return text.replace(/\p{Cs}/gu, '\ufffd')
}
