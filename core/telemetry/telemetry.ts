// Traces and metrics for OpenTelemetry: loaded where the config names a collector, and nowhere else.
import type { TelemetryConfig } from '../config/telemetry-config.ts'
import type { Clock } from '../plugin/index.ts'
import type { Teller } from './otlp.ts'
import { createShipping, type Shipping, type Ways } from './shipping.ts'
import { createTracer } from './tracer.ts'
import type { Tracing } from './tracing.ts'

export interface Telemetry extends Pick<Shipping, 'stop'> {
  readonly tracing: Tracing
  /** `mask`: what hides personal data and secrets; nothing of content is shown before it is there. */
  begin(ways: Ways, mask: ((text: string) => string) | undefined): void
}

export function createTelemetry(config: TelemetryConfig, clock: Clock, teller: Teller): Telemetry {
  const { otlp: url, headers, metricsMs, sample, content } = config
  const shipping = createShipping({ url, headers, metricsMs, clock, teller })
  let masked: ((text: string) => string) | undefined
  const show = (text: string): string => masked?.(text) ?? ''
  return {
    tracing: createTracer({ sample, clock, show: content ? show : undefined, keep: shipping.keep }),
    begin(ways, mask) {
      masked = mask && (text => ways.scrub(mask(text)))
      shipping.begin(ways)
    },
    stop: shipping.stop,
  }
}
