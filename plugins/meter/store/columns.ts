// The counts of a row, as columns: one list from which every statement is made, so that none forgets one.
import type { SqlRow, SqlValue, UsageRow } from 'mcpgw/plugin'
import { completed, latencyBounds, type OutcomeKind, outcomeKinds } from '../outcome-kinds.ts'
import type { Addition, Counts, Dimension, Span, Sum, VersionAddition } from './usage-store.ts'

const endColumn = (kind: OutcomeKind): string => kind.replace('-', '_')
const latencyColumns: readonly string[] = Array.from({ length: latencyBounds.length + 1 }, (_, i) => `latency_${i}`)

export const keyColumns: readonly string[] = ['span', 'start', 'finish', 'tenant', 'subject', 'server', 'target']
export const versionKeyColumns: readonly string[] = [...keyColumns, 'version']
export const countColumns: readonly string[] = [
  ...outcomeKinds.map(endColumn),
  ...latencyColumns,
  'request_bytes',
  'result_bytes',
  'milli_units',
]

/** As `span` is stored. */
export const spanCode: Readonly<Record<Span, number>> = { window: 0, month: 1 }

/** Calls that ended. */
export const callsSql: string = completed.map(endColumn).join(' + ')
export const sumsSql: string = countColumns.map(name => `sum(${name}) AS ${name}`).join(', ')
/** What an addition does to the row that is there. */
export const addSql: string = countColumns.map(name => `${name} = usage.${name} + excluded.${name}`).join(', ')

/** In the order of keyColumns, then countColumns. */
export function toColumns(row: Addition): SqlValue[] {
  const { span, start, end, tenant, subject, server, target } = row
  return [spanCode[span], start, end, tenant, subject, server, target, ...toCounts(row)]
}

/** In the order of versionKeyColumns, then countColumns. */
export function toVersionColumns({ version, ...row }: VersionAddition): SqlValue[] {
  return toColumns(row).toSpliced(keyColumns.length, 0, version)
}

function toCounts({ ends, latency, requestBytes, resultBytes, milliUnits }: Counts): SqlValue[] {
  return [...outcomeKinds.map(kind => ends[kind]), ...latency, requestBytes, resultBytes, milliUnits]
}

/** Of a row that has countColumns. */
function fromColumns(row: SqlRow): Counts {
  return {
    ends: Object.fromEntries(outcomeKinds.map(kind => [kind, Number(row[endColumn(kind)])])) as Record<OutcomeKind, number>,
    latency: latencyColumns.map(name => Number(row[name])),
    requestBytes: Number(row.request_bytes),
    resultBytes: Number(row.result_bytes),
    milliUnits: BigInt(row.milli_units as number | bigint | string),
  }
}

const DAY_MS = 86_400_000
const dimensionSql: Readonly<Record<Dimension, string>> = {
  tenant: 'tenant',
  subject: 'subject',
  server: 'server',
  version: 'version',
  target: 'target',
  hour: 'start',
  // Also before 1970.
  day: `start - ((start % ${DAY_MS}) + ${DAY_MS}) % ${DAY_MS}`,
}

/**
 * What the sums are made of. Each row of `versions` is a part of one of `usage`, and is taken out of it here: what is left there went to servers
 * that named no version, or was counted before versions were.
 */
export function sourceSql(by: readonly Dimension[], { usage, versions }: { readonly usage: string; readonly versions: string }): string {
  if (!by.includes('version')) return usage
  const select = (from: string, version: string, sign = ''): string =>
    `SELECT ${keyColumns.join(', ')}, ${version} AS version, ${countColumns.map(name => `${sign}${name} AS ${name}`).join(', ')} FROM ${from}`
  return `(${[select(usage, "''"), select(versions, "''", '-'), select(versions, 'version')].join(' UNION ALL ')}) AS usage`
}

/** Whether a row of a version is a part of that one of `usage`. */
export const isPartSql = (part: string, whole: string): string => keyColumns.map(name => `${part}.${name} = ${whole}.${name}`).join(' AND ')

/** What is selected before the sums, and the clause that ends the statement. Without a dimension there is one sum, or none where nothing is. */
export function groupSql(by: readonly Dimension[]): { readonly names: string; readonly group: string } {
  return {
    names: by.map(name => `${dimensionSql[name]} AS by_${name}, `).join(''),
    group: by.length === 0 ? 'HAVING count(*) > 0' : `GROUP BY ${by.map((_, i) => i + 1).join(', ')}`,
  }
}

/** Without those of which nothing is left in `usage`. */
export function toSums(rows: readonly SqlRow[], by: readonly Dimension[]): Sum[] {
  const sums = rows.map(row => toSum(row, by))
  return by.includes('version') ? sums.filter(sum => sum.version !== '' || !isNothing(sum)) : sums
}

function isNothing({ ends, latency, requestBytes, resultBytes, milliUnits }: Counts): boolean {
  return [...Object.values(ends), ...latency, requestBytes, resultBytes, Number(milliUnits)].every(count => count === 0)
}

function toSum(row: SqlRow, by: readonly Dimension[]): Sum {
  return { ...Object.fromEntries(by.map(name => [name, row[`by_${name}`]])), ...fromColumns(row) }
}

/** Of keyColumns, and `calls` and `milli_units`. */
export function toUsageRow(row: SqlRow): UsageRow {
  const { start, finish, tenant, subject, server, target, calls, milli_units } = row
  return {
    start: Number(start),
    end: Number(finish),
    tenant: String(tenant),
    subject: String(subject),
    server: String(server),
    target: String(target),
    calls: Number(calls),
    milliUnits: Number(milli_units),
  }
}
