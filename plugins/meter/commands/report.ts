// Usage as it is asked for: sums of the store under the names of those they are of, and nothing that a printer would have to know.
import { completed, errorLayers, type OutcomeKind, outcomeKinds } from '../outcome-kinds.ts'
import { percentile } from '../percentile.ts'
import { type Counts, type Dimension, type Sum, spanOf, type UsageStore } from '../store/usage-store.ts'
import { emptyCounts } from '../tally.ts'
import { writeTime } from './text.ts'

export const groupings = ['tenant', 'consumer', 'server', 'version', 'tool', 'hour', 'day', 'month', 'outcome'] as const
export type Grouping = (typeof groupings)[number]

export interface ReportQuestion {
  readonly from: number
  readonly to: number
  readonly tenant?: string | undefined
  /** Only of this one. */
  readonly consumer?: string | undefined
  readonly by: readonly Grouping[]
}

export interface ReportRow extends Figures {
  /** In the order of `by`. */
  readonly names: readonly string[]
}

export interface Figures {
  readonly calls: number
  readonly errors: Readonly<Record<keyof typeof errorLayers, number>>
  readonly ends: Readonly<Record<OutcomeKind, number>>
  readonly requestBytes: number
  readonly resultBytes: number
  readonly milliUnits: bigint
  /** Milliseconds; null where nothing was measured. */
  readonly latency: Readonly<Record<'p50' | 'p95' | 'p99', number | null>>
}

export interface Report {
  readonly rows: readonly ReportRow[]
  readonly total: Figures
}

export type WhoIs = (subjects: readonly string[]) => Promise<ReadonlyMap<string, { readonly id: string }>>

const DIMENSIONS: Readonly<Record<Grouping, Dimension | undefined>> = {
  tenant: 'tenant',
  consumer: 'subject',
  server: 'server',
  version: 'version',
  tool: 'target',
  hour: 'hour',
  day: 'day',
  month: 'day',
  outcome: undefined,
}

/** Several pseudonyms of one person are one row; one that stands for nobody any more is a row of its own. */
export async function makeReport(store: UsageStore, whoIs: WhoIs, { consumer, by, ...question }: ReportQuestion): Promise<Report> {
  const wanted = [...by, ...(consumer === undefined ? [] : ['consumer' as const])]
  const dimensions = [...new Set(wanted.flatMap(grouping => DIMENSIONS[grouping] ?? []))]
  const sums = await store.sum({ ...question, span: spanOf(question, by), by: dimensions })
  const subjects = new Set(sums.flatMap(({ subject }) => (subject ? [subject] : [])))
  const people = subjects.size === 0 ? new Map<string, { readonly id: string }>() : await whoIs([...subjects])
  const nameOf = (subject = ''): string => {
    const id = subject === '' ? '' : (people.get(subject)?.id ?? subject)
    return id === '' ? '(anonymous)' : id
  }
  const groups = new Map<string, { names: string[]; counts: Growing }>()
  const total = emptyCounts()
  for (const sum of sums) {
    const who = nameOf(sum.subject)
    if (consumer !== undefined && who !== consumer) continue
    add(total, sum)
    for (const { names, counts } of split(sum, by, who)) {
      const key = JSON.stringify(names)
      const group = groups.get(key) ?? { names, counts: emptyCounts() }
      groups.set(key, group)
      add(group.counts, counts)
    }
  }
  const rows = [...groups.values()].map(({ names, counts }) => ({ names, ...toFigures(counts) }))
  return { rows: rows.sort((a, b) => compare(a.names, b.names)), total: toFigures(total) }
}

type Growing = ReturnType<typeof emptyCounts>

/** By outcome, one sum is several. */
function split(sum: Sum, by: readonly Grouping[], who: string): { names: string[]; counts: Counts }[] {
  const name = (grouping: Grouping): string => {
    if (grouping === 'consumer') return who
    if (grouping === 'tool') return sum.target ?? ''
    if (grouping === 'hour') return writeTime(sum.hour!, 'hour')
    if (grouping === 'day' || grouping === 'month') return writeTime(sum.day!, grouping)
    return grouping === 'outcome' ? '' : (sum[grouping] ?? '')
  }
  const names = by.map(name)
  const at = by.indexOf('outcome')
  if (at < 0) return [{ names, counts: sum }]
  return outcomeKinds
    .filter(kind => sum.ends[kind] !== 0)
    .map(kind => {
      const counts = emptyCounts()
      counts.ends[kind] = sum.ends[kind]
      return { names: names.with(at, kind), counts }
    })
}

function add(to: Growing, from: Counts): void {
  for (const kind of outcomeKinds) to.ends[kind] += from.ends[kind]
  for (const [i, size] of from.latency.entries()) to.latency[i]! += size
  to.requestBytes += from.requestBytes
  to.resultBytes += from.resultBytes
  to.milliUnits += from.milliUnits
}

function toFigures({ ends, latency, requestBytes, resultBytes, milliUnits }: Counts): Figures {
  const count = (kinds: readonly OutcomeKind[]): number => kinds.reduce((sum, kind) => sum + ends[kind], 0)
  return {
    calls: count(completed),
    errors: { tool: count(errorLayers.tool), protocol: count(errorLayers.protocol), transport: count(errorLayers.transport) },
    ends,
    requestBytes,
    resultBytes,
    milliUnits,
    latency: { p50: percentile(latency, 0.5), p95: percentile(latency, 0.95), p99: percentile(latency, 0.99) },
  }
}

function compare(a: readonly string[], b: readonly string[]): number {
  for (const [i, name] of a.entries()) if (name !== b[i]) return name < b[i]! ? -1 : 1
  return 0
}
