// The one canonical event that every exported form is made of: a record, opened as far as the export may show it, and what it means in a few plain words.
import type { Body } from '../opened.ts'
import type { StoredRecord } from '../store/log-store.ts'

/** The severities of all forms: as planned, worth a look, to be looked at. */
export type Severity = 'info' | 'notice' | 'warning'

/** What a record may say; anyone may have changed it since it was written, so forms ask for each member's type. */
export type Fields = Body & Readonly<Record<string, unknown>>

export interface AuditEvent {
  /** `STREAM:SEQ`. */
  readonly id: string
  readonly record: StoredRecord
  readonly body: Fields
  /** How a call ended, `open` for an intent, `refused`; undefined of administration. */
  readonly status: string | undefined
  /** Undefined where it is not known so far, or does not apply. */
  readonly success: boolean | undefined
  readonly severity: Severity
  /** What, on what, and how it ended; without names of callers. */
  readonly message: string
}

const GOOD: ReadonlySet<string> = new Set(['answered', 'input-required'])
const GRAVE: ReadonlySet<string> = new Set(['crashed', 'withheld', 'unknown'])
/** Of administration: what happens seldom, and never by design. */
const ODD: ReadonlySet<string> = new Set([
  'clock.step',
  'audit.recovered',
  'export.rejected',
  'server.failed',
  'catalog.drift',
  'tool.redefined',
])

/** ms since 1970 that a date can have. */
const LAST_DATE = 8.64e15

const isSound = (seq: unknown, at: unknown): boolean => typeof seq === 'number' && typeof at === 'number' && Math.abs(at) <= LAST_DATE

export function createEvent(record: StoredRecord, body: Fields): AuditEvent {
  const { type, stream, seq, at } = record
  const status = statusOf(type, body)
  return {
    id: `${stream}:${seq}`,
    // Whatever somebody wrote there stops no form.
    record: isSound(seq, at) ? record : { ...record, seq: Number(seq), at: Math.max(-LAST_DATE, Math.min(LAST_DATE, Number(at))) },
    body,
    status,
    success: successOf(status, body),
    severity: severityOf(type, status, body),
    message: describe(type, status, body),
  }
}

export const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
export const numberOf = (value: unknown): number | undefined => (typeof value === 'number' && Number.isFinite(value) ? value : undefined)
export const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {}

/** A tool, a prompt or a resource. */
export function targetOf({ tool, prompt, uri }: Fields): string | undefined {
  return textOf(tool) ?? textOf(prompt) ?? textOf(uri)
}

/** Milliseconds, rounded, of the fields that forms want whole. */
export function durationOf({ durationMs }: Fields): number | undefined {
  const ms = numberOf(durationMs)
  return ms === undefined ? undefined : Math.round(ms)
}

function statusOf(type: string, { outcome }: Fields): string | undefined {
  if (type === 'intent') return 'open'
  return type.startsWith('refusal') ? 'refused' : textOf(outcome)
}

function successOf(status: string | undefined, { success }: Fields): boolean | undefined {
  if (status === undefined) return typeof success === 'boolean' ? success : undefined
  return status === 'open' || status === 'unknown' ? undefined : GOOD.has(status)
}

function severityOf(type: string, status: string | undefined, { success }: Fields): Severity {
  if (status === undefined) return success === false || ODD.has(type) ? 'warning' : 'info'
  if (GRAVE.has(status) || type === 'refusal.repeated') return 'warning'
  return status === 'open' || GOOD.has(status) ? 'info' : 'notice'
}

function describe(type: string, status: string | undefined, body: Fields): string {
  const { action, server, errorCode, decision, count } = body
  const on = [textOf(server), targetOf(body)].filter(one => one !== undefined).join('/')
  const why = status === 'refused' ? textOf(fieldsOf(decision).code) : textOf(errorCode)
  const times = numberOf(count) === undefined ? undefined : `${numberOf(count)} times`
  return [type, textOf(action), on, status === 'open' ? undefined : status, why, times].filter(Boolean).join(' ')
}
