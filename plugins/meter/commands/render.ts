// A report as a table, as CSV or as JSON.
import { alignColumns, writeCsvRow } from 'mcpgw/plugin'
import type { Figures, Report, ReportQuestion, ReportRow } from './report.ts'
import { writeUnits } from './text.ts'

export const formats = ['table', 'csv', 'json'] as const
export type Format = (typeof formats)[number]

export function writeReport(report: Report, question: ReportQuestion, format: Format): string {
  if (format === 'json') return `${JSON.stringify(describeReport(report, question), null, 2)}\n`
  return format === 'csv' ? toCsv(report, question) : toTable(report, question)
}

const TABLE = ['CALLS', 'ERRORS', 'IN', 'OUT', 'UNITS', 'P50', 'P95', 'P99']

/** By outcome the other figures have no meaning: an outcome has no share of bytes. */
function toTable({ rows, total }: Report, { by }: ReportQuestion): string {
  const isByOutcome = by.includes('outcome')
  const figures = (one: Figures): string[] =>
    isByOutcome
      ? [String(endsOf(one))]
      : [
          String(one.calls),
          String(one.errors.tool + one.errors.protocol + one.errors.transport),
          writeBytes(one.requestBytes),
          writeBytes(one.resultBytes),
          writeUnits(one.milliUnits),
          ...[one.latency.p50, one.latency.p95, one.latency.p99].map(ms => (ms === null ? '-' : `${ms} ms`)),
        ]
  const header = [...by.map(name => name.toUpperCase()), ...(isByOutcome ? ['COUNT'] : TABLE)]
  const last = [...by.map((_, i) => (i === 0 ? 'total' : '')), ...figures(total)]
  const cells = ({ names, ...one }: ReportRow): string[] => [...names.map(name => name || '-'), ...figures(one)]
  return alignColumns([header, ...rows.map(cells), ...(rows.length > 1 ? [last] : [])], by.length)
}

function toCsv({ rows }: Report, { by }: ReportQuestion): string {
  if (by.includes('outcome')) return [writeCsvRow([...by, 'count']), ...rows.map(row => writeCsvRow([...row.names, endsOf(row)]))].join('')
  const header = [
    ...by,
    'calls',
    'tool_errors',
    'protocol_errors',
    'transport_errors',
    'cancelled',
    'withheld',
    'unknown',
    'request_bytes',
    'result_bytes',
    'units',
    'p50_ms',
    'p95_ms',
    'p99_ms',
  ]
  const line = ({ names, calls, errors, ends, requestBytes, resultBytes, milliUnits, latency }: ReportRow): string =>
    writeCsvRow([
      ...names,
      calls,
      errors.tool,
      errors.protocol,
      errors.transport,
      ends.cancelled,
      ends.withheld,
      ends.unknown,
      requestBytes,
      resultBytes,
      writeUnits(milliUnits),
      latency.p50 ?? '',
      latency.p95 ?? '',
      latency.p99 ?? '',
    ])
  return [writeCsvRow(header), ...rows.map(line)].join('')
}

export function describeReport({ rows, total }: Report, { from, to, by, tenant, consumer }: ReportQuestion): object {
  const isByOutcome = by.includes('outcome')
  const figures = (one: Figures): object =>
    isByOutcome
      ? { count: endsOf(one) }
      : {
          calls: one.calls,
          errors: one.errors,
          ends: one.ends,
          requestBytes: one.requestBytes,
          resultBytes: one.resultBytes,
          units: writeUnits(one.milliUnits),
          latencyMs: one.latency,
        }
  const period = { from: new Date(from).toISOString(), to: new Date(to).toISOString() }
  return {
    period,
    ...(tenant !== undefined && { tenant }),
    ...(consumer !== undefined && { consumer }),
    by,
    rows: rows.map(({ names, ...one }) => ({ ...Object.fromEntries(by.map((name, i) => [name, names[i]])), ...figures(one) })),
    total: figures(total),
  }
}

const endsOf = ({ ends }: Figures): number => Object.values(ends).reduce((sum, count) => sum + count, 0)

const SIZES = ['B', 'kB', 'MB', 'GB', 'TB'] as const

function writeBytes(bytes: number): string {
  let [size, i] = [bytes, 0]
  for (; size >= 1024 && i < SIZES.length - 1; i++) size /= 1024
  return `${i === 0 ? size : size.toPrecision(3)} ${SIZES[i]}`
}
