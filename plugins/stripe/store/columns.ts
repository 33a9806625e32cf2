// Between rows of the outbox and what the plugin works with; the same in both databases.
import type { Append, SqlRow, SqlValue } from 'mcpgw/plugin'
import type { Quantity } from '../config.ts'
import type { Attempt, Line } from '../line.ts'
import type { Changes, Latest, UsageCopy } from './outbox.ts'

/** Of the statements of a writer, which come in this order. */
const SQL = { note: 0, usage: 1, totals: 2, attempt: 3 }

export const ATTEMPT_COLUMNS: readonly string[] = [
  'sent',
  'state',
  'kind',
  'customer',
  'revision',
  'identifier',
  'value',
  'unsure',
  'tried',
  'next',
  'error',
  'last_identifier',
  'last_value',
  'last_at',
]
export const LINE_COLUMNS: string = ['id', 'tenant', 'event', 'quantity', '"start"', '"end"', 'used', 'wanted', ...ATTEMPT_COLUMNS].join(
  ', ',
)
export const USAGE_COLUMNS = 'id, "start", "end", tenant, server, target, calls, milli_units'

export function toAppends({ notes = {}, usage = [], totals = [], attempts = [] }: Changes): Append[] {
  return [
    ...Object.entries(notes).map(([name, value]) => ({ sql: SQL.note, params: [name, value] })),
    ...usage.map(({ id, start, end, tenant, server, target, calls, milliUnits }) => ({
      sql: SQL.usage,
      params: [id, start, end, tenant, server, target, calls, milliUnits],
    })),
    ...totals.map(({ id, tenant, event, of, start, end, used, wanted }) => ({
      sql: SQL.totals,
      params: [id, tenant, event, of, start, end, used, wanted],
    })),
    ...attempts.map(({ id, sent, attempt }) => ({ sql: SQL.attempt, params: [...attemptValues(sent, attempt), id] })),
  ]
}

/** In the order of ATTEMPT_COLUMNS. */
export function attemptValues(sent: number, one: Attempt): SqlValue[] {
  const { state, kind, customer, revision, identifier, value, unsure, tried, next, error, lastIdentifier, lastValue, lastAt } = one
  return [sent, state, kind, customer, revision, identifier, value, unsure, tried, next, error, lastIdentifier, lastValue, lastAt]
}

export function toLine(row: SqlRow): Line {
  return {
    id: String(row.id),
    tenant: String(row.tenant),
    event: String(row.event),
    of: row.quantity as Quantity,
    start: Number(row.start),
    end: Number(row.end),
    used: Number(row.used),
    wanted: Number(row.wanted),
    sent: Number(row.sent),
    attempt: {
      state: row.state as Attempt['state'],
      kind: row.kind as Attempt['kind'],
      customer: String(row.customer),
      revision: Number(row.revision),
      identifier: String(row.identifier),
      value: Number(row.value),
      unsure: row.unsure === null ? null : Number(row.unsure),
      tried: Number(row.tried),
      next: Number(row.next),
      error: String(row.error),
      lastIdentifier: String(row.last_identifier),
      lastValue: Number(row.last_value),
      lastAt: Number(row.last_at),
    },
  }
}

export function toUsage(row: SqlRow): UsageCopy {
  return {
    id: String(row.id),
    start: Number(row.start),
    end: Number(row.end),
    tenant: String(row.tenant),
    server: String(row.server),
    target: String(row.target),
    calls: Number(row.calls),
    milliUnits: Number(row.milli_units),
  }
}

/** What `Latest` is made of, `since` as a parameter. */
export const successSql = (line: string, since: string): string =>
  `SELECT max(last_at) AS at FROM ${line} WHERE "start" >= ${since} AND last_identifier <> ''`
export const failureSql = (line: string, since: string): string =>
  `SELECT tried, error FROM ${line} WHERE "start" >= ${since} AND error <> '' ORDER BY tried DESC, id LIMIT 1`

export function toLatest(success: SqlRow | undefined, failure: SqlRow | undefined): Latest {
  const at = success?.at ?? null
  return {
    ...(at !== null && { success: Number(at) }),
    ...(failure !== undefined && { failure: { at: Number(failure.tried), why: String(failure.error) } }),
  }
}

export const toNotes = (rows: readonly SqlRow[]): Record<string, string> =>
  Object.fromEntries(rows.map(({ name, value }) => [String(name), String(value)]))
