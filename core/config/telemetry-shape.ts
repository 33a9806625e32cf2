// The section `telemetry` of the config: where traces and metrics go, and how much of them.
import * as z from 'zod'
import { parseDuration } from './duration.ts'
import { coded, type Duration, duration, isGuarded, url } from './fields.ts'
import { headers } from './headers-shape.ts'
import type { TelemetryConfig } from './telemetry-config.ts'

export interface TelemetryShape {
  readonly otlp: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly insecure?: boolean | undefined
  readonly sample?: number | undefined
  readonly content?: boolean | undefined
  readonly metrics?: Duration
}

const METRICS_MS = 60_000

export const telemetryShape: z.ZodType<TelemetryShape> = z
  .strictObject({
    otlp: url.meta({
      description: 'Address of a collector for OTLP over HTTP; /v1/traces and /v1/metrics are added',
      examples: ['http://127.0.0.1:4318'],
    }),
    headers: headers.optional().meta({ description: 'Sent with every request there; a secret as ${secret:NAME}' }),
    insecure: z.boolean().optional().meta({ description: 'http to another machine is allowed: the way there is safe by other means' }),
    sample: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .meta({ description: 'Share of the traces that begin here which are kept, default 1; who began a trace says so of his' }),
    content: z.boolean().optional().meta({ description: 'Arguments and results as well, after masking; needs the plugin redact' }),
    metrics: duration.optional().meta({ description: 'Between two reports of metrics, default 60s; 0 = none' }),
  })
  .refine(({ otlp, insecure }) => insecure === true || isGuarded(otlp), {
    ...coded('bad-value', 'http is for this machine alone: expected https, or "insecure: true" where the way is safe by other means'),
    path: ['otlp'],
  })
  .meta({ description: 'OpenTelemetry: where spans and metrics of calls go; nowhere if it is left out' })

export function buildTelemetry({ otlp, headers: given = {}, sample = 1, content = false, metrics }: TelemetryShape): TelemetryConfig {
  const metricsMs = metrics === undefined ? METRICS_MS : (parseDuration(metrics) ?? METRICS_MS)
  return { otlp, headers: given, sample, content, metricsMs }
}
