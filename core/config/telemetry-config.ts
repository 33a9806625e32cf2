// What the gateway gets of the section `telemetry`. A type alone, so that anyone may import it.

/** `otlp`: of a collector, without the path of a signal. `sample`: share of traces begun here. `content`: arguments and results too, masked. */
export interface TelemetryConfig {
  readonly otlp: string
  readonly headers: Readonly<Record<string, string>>
  readonly sample: number
  readonly content: boolean
  /** Between two reports of metrics; 0 = none. */
  readonly metricsMs: number
}
