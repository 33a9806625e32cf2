// What a form of others has no room for, under our own names: the record but for what the form says already.
import { hexOf } from '../bytes.ts'
import type { AuditEvent } from './event.ts'

const SAID: ReadonlySet<string> = new Set([
  'v',
  'type',
  'at',
  'mono',
  'tenant',
  'actor',
  'source',
  'action',
  'server',
  'args',
  'result',
  'count',
  'http',
])

export function restOf({ record, body }: AuditEvent): Readonly<Record<string, unknown>> {
  const rest = Object.entries(body).filter(([name]) => !SAID.has(name))
  return { ...Object.fromEntries(rest), prev: hexOf(record.prev), hash: hexOf(record.hash) }
}

/** Without members that are undefined; undefined where none is left. */
export function compact(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | undefined {
  const known = Object.entries(value).filter(([, inner]) => inner !== undefined)
  return known.length === 0 ? undefined : Object.fromEntries(known)
}
