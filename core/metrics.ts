// Counters, gauges and histograms in memory, shown in the Prometheus text format. The number of series is bounded.
import { Distribution } from './metrics/distribution.ts'
import { type Caps, createSeries, type Series } from './metrics/series.ts'
import { escapeHelp, type Labels, renderSample } from './metrics/text.ts'
import type { Metrics } from './plugin/index.ts'

export interface MetricsRegistry {
  /** Metrics of the core: `mcpgw_<name>`. */
  readonly core: CoreMetrics
  /** What any process has, under the names that all programs give it: `process_<name>`. */
  readonly process: CoreMetrics
  /** Metrics of a plugin: `mcpgw_<plugin>_<name>`. */
  of(plugin: string): Metrics
  /** Called before each reading: for what is counted elsewhere. */
  beforeRender(update: () => void): void
  /** All metrics as they are now, sorted by name. */
  readonly read: () => readonly Metric[]
  /** Text exposition format 0.0.4, sorted by name. */
  readonly render: () => string
}

/** `at` looks a series up once, so that what counts on each call pays for no lookup. */
export interface CoreMetrics extends Metrics {
  counter(
    name: string,
    help: string,
    labels?: readonly string[],
    caps?: Caps,
  ): ReturnType<Metrics['counter']> & { at(labels?: Labels): { value: number } }
  histogram(
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: readonly string[],
  ): ReturnType<Metrics['histogram']> & { at(labels?: Labels): Distribution }
}

export interface MetricsOptions {
  /** Different values that one label keeps; those that come later are `other`. Default 100. */
  readonly values?: number
  /** Series that one metric keeps; those that come later have `other` in every label. Default 1000. */
  readonly series?: number
}

export type Metric =
  | { readonly kind: 'counter' | 'gauge'; readonly name: string; readonly help: string; readonly series: Series<{ value: number }> }
  | { readonly kind: 'histogram'; readonly name: string; readonly help: string; readonly series: Series<Distribution> }

interface Defined {
  readonly metric: Metric
  readonly labels: readonly string[]
  readonly handle: unknown
}

export function createMetrics(options: MetricsOptions = {}): MetricsRegistry {
  const usual: Caps = { values: options.values ?? 100, series: options.series ?? 1000 }
  const metrics = new Map<string, Defined>()
  const updates: (() => void)[] = []

  /** The same name again is the same metric; another kind or other labels under it are a bug. */
  function define<H>(
    { name, kind, labels }: Pick<Metric, 'name' | 'kind'> & Pick<Defined, 'labels'>,
    make: () => { readonly metric: Metric; readonly handle: H },
  ): H {
    const known = metrics.get(name)
    if (known !== undefined) {
      if (known.metric.kind === kind && known.labels.join() === labels.join()) return known.handle as H
      throw new TypeError(`metric ${name} exists with another kind or other labels`)
    }
    for (const word of [name, ...labels])
      if (!/^[a-z_][a-z0-9_]*$/.test(word)) throw new TypeError(`${JSON.stringify(word)} is no name for a metric or label`)
    const made = make()
    metrics.set(name, { labels, ...made })
    return made.handle
  }

  const prefixed = (prefix: string): CoreMetrics => ({
    counter(name, help, labels = [], caps = usual) {
      const about = { name: prefix + name, kind: 'counter', help, labels } as const
      return define(about, () => {
        const series = createSeries(labels, caps, () => ({ value: 0 }))
        // Invariant: a counter never falls.
        const inc = (values?: Labels, by = 1): void => {
          if (by >= 0) series.at(values).value += by
        }
        return { metric: { ...about, series }, handle: { inc, at: series.at } }
      })
    },
    gauge(name, help, labels = []) {
      const about = { name: prefix + name, kind: 'gauge', help, labels } as const
      return define(about, () => {
        const series = createSeries(labels, usual, () => ({ value: 0 }))
        const set = (value: number, values?: Labels): void => {
          series.at(values).value = value
        }
        return { metric: { ...about, series }, handle: { set } }
      })
    },
    histogram(name, help, buckets, labels = []) {
      const about = { name: prefix + name, kind: 'histogram', help, labels } as const
      return define(about, () => {
        const bounds = [...buckets].toSorted((a, b) => a - b)
        const series = createSeries(labels, usual, () => new Distribution(bounds))
        return {
          metric: { ...about, series },
          handle: { observe: (value: number, values?: Labels) => series.at(values).observe(value), at: series.at },
        }
      })
    },
  })

  function read(): readonly Metric[] {
    for (const update of updates) update()
    return [...metrics.values()].map(({ metric }) => metric).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  return {
    core: prefixed('mcpgw_'),
    process: prefixed('process_'),
    of: plugin => prefixed(`mcpgw_${plugin.replaceAll('-', '_')}_`),
    beforeRender: update => void updates.push(update),
    read,
    render: () => read().map(renderMetric).join(''),
  }
}

function renderMetric(metric: Metric): string {
  const { name, kind, help } = metric
  const samples =
    metric.kind === 'histogram'
      ? [...metric.series.all()].map(({ labels, cell }) => renderHistogram(name, labels, cell))
      : [...metric.series.all()].map(({ labels, cell }) => renderSample(name, labels, cell.value))
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${kind}\n${samples.join('')}`
}

function renderHistogram(name: string, labels: Labels, { bounds, counts, sum, count }: Distribution): string {
  let below = 0
  const lines = bounds.map((bound, i) => {
    below += counts[i]!
    return renderSample(`${name}_bucket`, { ...labels, le: String(bound) }, below)
  })
  lines.push(renderSample(`${name}_bucket`, { ...labels, le: '+Inf' }, count))
  return lines.join('') + renderSample(`${name}_sum`, labels, sum) + renderSample(`${name}_count`, labels, count)
}
