// Counters, gauges and histograms in memory, shown in the Prometheus text format. The number of series is bounded.

import { createSeries, type Series } from './metrics/series.ts'
import { escapeHelp, type Labels, renderSample } from './metrics/text.ts'
import type { Metrics } from './plugin/index.ts'

export interface MetricsRegistry {
  /** Metrics of the core: `mcpgw_<name>`. */
  readonly core: Metrics
  /** Metrics of a plugin: `mcpgw_<plugin>_<name>`. */
  of(plugin: string): Metrics
  /** Called before each rendering: for what is counted elsewhere. */
  beforeRender(update: () => void): void
  /** Text exposition format 0.0.4, sorted by name. */
  readonly render: () => string
}

export interface MetricsOptions {
  /** Different values that one label keeps; those that come later are `other`. Default 100. */
  readonly values?: number
  /** Series that one metric keeps; those that come later have `other` in every label. Default 1000. */
  readonly series?: number
}

interface Metric {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  readonly handle: unknown
  readonly render: (name: string) => string
}

export function createMetrics(options: MetricsOptions = {}): MetricsRegistry {
  const caps = { values: options.values ?? 100, series: options.series ?? 1000 }
  const metrics = new Map<string, Metric>()
  const updates: (() => void)[] = []

  /** The same name again is the same metric; another kind or other labels under it are a bug. */
  function define<H>(
    name: string,
    kind: Metric['kind'],
    help: string,
    labels: readonly string[],
    make: () => { handle: H; render(name: string): string },
  ): H {
    const known = metrics.get(name)
    if (known !== undefined) {
      if (known.kind === kind && known.labels.join() === labels.join()) return known.handle as H
      throw new TypeError(`metric ${name} exists with another kind or other labels`)
    }
    for (const word of [name, ...labels])
      if (!/^[a-z_][a-z0-9_]*$/.test(word)) throw new TypeError(`${JSON.stringify(word)} is no name for a metric or label`)
    const made = make()
    metrics.set(name, { kind, help, labels, ...made })
    return made.handle
  }

  const prefixed = (prefix: string): Metrics => ({
    counter(name, help, labels = []) {
      return define(prefix + name, 'counter', help, labels, () => {
        const series = createSeries<{ count: number }>(labels, caps, () => ({ count: 0 }))
        return {
          handle: {
            inc(values?: Labels, by = 1) {
              // Invariant: a counter never falls.
              if (by >= 0) series.at(values).count += by
            },
          },
          render: full => renderEach(series, labelled => renderSample(full, labelled.labels, labelled.cell.count)),
        }
      })
    },
    gauge(name, help, labels = []) {
      return define(prefix + name, 'gauge', help, labels, () => {
        const series = createSeries<{ value: number }>(labels, caps, () => ({ value: 0 }))
        return {
          handle: {
            set(value: number, values?: Labels) {
              series.at(values).value = value
            },
          },
          render: full => renderEach(series, labelled => renderSample(full, labelled.labels, labelled.cell.value)),
        }
      })
    },
    histogram(name, help, buckets, labels = []) {
      return define(prefix + name, 'histogram', help, labels, () => {
        const bounds = [...buckets].toSorted((a, b) => a - b)
        const series = createSeries(labels, caps, () => ({ counts: bounds.map(() => 0), sum: 0, count: 0 }))
        return {
          handle: {
            observe(value: number, values?: Labels) {
              const cell = series.at(values)
              const bucket = bounds.findIndex(bound => value <= bound)
              if (bucket >= 0) cell.counts[bucket]! += 1
              cell.sum += value
              cell.count += 1
            },
          },
          render: full => renderEach(series, ({ labels: values, cell }) => renderHistogram(full, values, bounds, cell)),
        }
      })
    },
  })

  return {
    core: prefixed('mcpgw_'),
    of: plugin => prefixed(`mcpgw_${plugin.replaceAll('-', '_')}_`),
    beforeRender: update => void updates.push(update),
    render() {
      for (const update of updates) update()
      const names = [...metrics.keys()].toSorted()
      return names.map(name => renderMetric(name, metrics.get(name)!)).join('')
    },
  }
}

function renderMetric(name: string, { kind, help, render }: Metric): string {
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${kind}\n${render(name)}`
}

function renderEach<C>(series: Series<C>, render: (labelled: { labels: Labels; cell: C }) => string): string {
  return [...series.all()].map(render).join('')
}

function renderHistogram(
  name: string,
  labels: Labels,
  bounds: readonly number[],
  cell: { counts: number[]; sum: number; count: number },
): string {
  let below = 0
  const lines = bounds.map((bound, i) => {
    below += cell.counts[i]!
    return renderSample(`${name}_bucket`, { ...labels, le: String(bound) }, below)
  })
  lines.push(renderSample(`${name}_bucket`, { ...labels, le: '+Inf' }, cell.count))
  return lines.join('') + renderSample(`${name}_sum`, labels, cell.sum) + renderSample(`${name}_count`, labels, cell.count)
}
