// Brings spans and metrics to the collector: in batches, at its own pace. What does not fit is dropped and counted; no call ever waits.
import type { Health } from '../health.ts'
import type { MetricsRegistry } from '../metrics.ts'
import type { Clock, Outgoing } from '../plugin/index.ts'
import { encodeMetrics, encodeSpans, type Teller } from './otlp.ts'
import type { Span } from './span.ts'

export interface Shipping {
  keep(span: Span): void
  /** From here on it ships. */
  begin(ways: Ways): void
  /** What is left is sent once, within `limitMs`. */
  stop(limitMs: number): Promise<void>
}

export interface ShippingOptions {
  /** Without the path of a signal. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Between two reports of metrics; 0 = none. */
  readonly metricsMs: number
  readonly clock: Clock
  readonly teller: Teller
}

export interface Ways {
  readonly outgoing: Outgoing
  readonly metrics: MetricsRegistry
  readonly health: Pick<Health, 'component'>
  /** Takes known secrets out of whatever leaves. */
  scrub(text: string): string
}

const MOST = 8192
const BATCH = 256
const EVERY_MS = 1000
const LONGEST_PAUSE_MS = 30_000
const TIMEOUT_MS = 10_000
const MAX_ANSWER = 64 * 1024
/** Spec: OTLP/HTTP, "Retryable Response Codes". */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504])

interface Begun {
  readonly ways: Ways
  count(fate: 'exported' | 'dropped', spans: number): void
  tell(why: string | undefined): void
}
type Fate = { readonly kind: 'taken' | 'lost' } | { readonly kind: 'later'; readonly afterMs: number | undefined }

export function createShipping({ url, headers, metricsMs, clock, teller }: ShippingOptions): Shipping {
  const queue: Span[] = []
  const since = clock.now()
  const base = url.replace(/\/$/, '')
  let begun: Begun | undefined
  let shipping: Promise<void> | undefined
  let failures = 0
  let dropped = 0
  let stopTimer: (() => void) | undefined
  let stopMetrics = (): void => {}

  function keep(span: Span): void {
    if (queue.length >= MOST) {
      dropped++
      begun?.count('dropped', 1)
      return
    }
    queue.push(span)
    if (failures === 0 && queue.length >= BATCH) ship()
    else arm(EVERY_MS)
  }

  function arm(ms: number): void {
    stopTimer ??= clock.after(ms, () => {
      stopTimer = undefined
      ship()
    })
  }

  function disarm(): void {
    stopTimer?.()
    stopTimer = undefined
  }

  function ship(): void {
    if (begun === undefined || shipping !== undefined) return
    shipping = shipAll().finally(() => {
      shipping = undefined
    })
  }

  async function shipAll(): Promise<void> {
    while (queue.length > 0 && begun !== undefined) {
      // They stay in the queue until their fate is known: it is bounded.
      const batch = queue.slice(0, BATCH)
      const fate = await post(begun, '/v1/traces', encodeSpans(batch, teller))
      if (fate.kind === 'later') {
        disarm()
        return arm(fate.afterMs ?? Math.min(LONGEST_PAUSE_MS, EVERY_MS * 2 ** Math.min(failures, 5)))
      }
      queue.splice(0, batch.length)
      begun?.count(fate.kind === 'taken' ? 'exported' : 'dropped', batch.length)
    }
  }

  async function post({ ways, tell }: Begun, path: string, body: string): Promise<Fate> {
    try {
      const { status, header } = await ways.outgoing.request(base + path, {
        origin: 'configured',
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: ways.scrub(body),
        timeout: TIMEOUT_MS,
        maxBytes: MAX_ANSWER,
      })
      if (status >= 200 && status < 300) {
        failures = 0
        tell(undefined)
        return { kind: 'taken' }
      }
      failures++
      tell(`the collector answers ${path} with ${status}`)
      if (!RETRYABLE.has(status)) return { kind: 'lost' }
      const seconds = Number(header('retry-after'))
      return { kind: 'later', afterMs: seconds > 0 ? Math.min(seconds * 1000, LONGEST_PAUSE_MS) : undefined }
    } catch (error) {
      failures++
      tell(error instanceof Error ? error.message : String(error))
      return { kind: 'later', afterMs: undefined }
    }
  }

  function report(): void {
    stopMetrics = clock.after(metricsMs, report)
    if (begun !== undefined) void post(begun, '/v1/metrics', encodeMetrics(begun.ways.metrics.read(), teller, since, clock.now()))
  }

  return {
    keep,
    begin(ways) {
      const spans = ways.metrics.core.counter('telemetry_spans_total', 'Spans for the collector, by what became of them.', ['fate'])
      const component = ways.health.component('telemetry')
      begun = {
        ways,
        count: (fate, count) => spans.inc({ fate }, count),
        tell: why => component.set(why === undefined ? undefined : { status: 'degraded', why }),
      }
      begun.count('exported', 0)
      begun.count('dropped', dropped)
      if (metricsMs > 0) stopMetrics = clock.after(metricsMs, report)
    },
    async stop(limitMs) {
      stopMetrics()
      disarm()
      let over = (): void => {}
      const limit = new Promise<void>(resolve => {
        over = clock.after(limitMs, resolve)
      })
      await Promise.race([(shipping ?? Promise.resolve()).then(() => shipAll()), limit])
      over()
      disarm()
      begun = undefined
    },
  }
}
