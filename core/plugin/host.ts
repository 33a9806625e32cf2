// What the gateway lends to plugins and commands: time, a log, metrics.

export interface Clock {
  /** Wall clock, ms since 1970. */
  now(): number
  /** Monotonic, ms. */
  mono(): number
  /** Calls back after `ms`; the function returned cancels. Does not keep the process alive. */
  after(ms: number, run: () => void): () => void
}

/** Structured, to stderr. Control characters are escaped and known secrets removed. */
export interface Log {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

/** Names are prefixed with `mcpgw_<plugin>_`. Label values are bounded: past the cap they become `other`. */
export interface Metrics {
  counter(name: string, help: string, labels?: readonly string[]): { inc(labels?: Readonly<Record<string, string>>, by?: number): void }
  gauge(name: string, help: string, labels?: readonly string[]): { set(value: number, labels?: Readonly<Record<string, string>>): void }
  histogram(
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: readonly string[],
  ): {
    observe(value: number, labels?: Readonly<Record<string, string>>): void
  }
}
