// Events as syslog messages (RFC 5424), framed by their length (RFC 6587, RFC 5425), so that no line break begins another message.
import { printable } from 'mcpgw/plugin'
import { writeLine } from '../export-line.ts'
import { escapeInvisible } from '../json-text.ts'
import { digestOf } from '../note.ts'
import { type AuditEvent, type Severity, textOf } from './event.ts'

const SEVERITIES: { readonly [severity in Severity]: number } = { info: 6, notice: 5, warning: 4 }
/** The number that is reserved for examples: this project has none of its own. */
const SD_ID = 'mcpgw@32473'

export interface SyslogSource {
  readonly facility: number
  /** Name of the host, as others see it. */
  readonly host: string
}

/** `line`: the event in the configured form. */
export function frame(event: AuditEvent, line: string, source: SyslogSource): string {
  return framed(toRfc5424(event, line, source))
}

/** A signed checkpoint, on one line as in an exported log, so that `audit verify --checkpoint` reads a file of such texts. `at`: ms since 1970. */
export function frameNote(note: string, at: number, { facility, host }: SyslogSource): string {
  const [origin] = note.split('\n', 1)
  const text = escapeInvisible(writeLine({ kind: 'checkpoint', note }).trimEnd())
  return framed(
    `<${facility * 8 + SEVERITIES.info}>1 ${timeText(at)} ${headerText(host, 255)} mcpgw ${headerText(origin!, 128)} checkpoint [${SD_ID} note="${digestOf(note)}"] ${text}`,
  )
}

const framed = (message: string): string => `${Buffer.byteLength(message)} ${message}`

export function toRfc5424(event: AuditEvent, line: string, { facility, host }: SyslogSource): string {
  const { record, severity } = event
  const priority = facility * 8 + SEVERITIES[severity]
  return `<${priority}>1 ${timeText(record.at)} ${headerText(host, 255)} mcpgw ${headerText(record.stream, 128)} ${headerText(record.type, 32)} ${describe(event)} ${line}`
}

function describe({ id, body, status }: AuditEvent): string {
  const { callId, tenant, subject } = body
  const fields = { id, status, callId: textOf(callId), tenant: textOf(tenant), subject: textOf(subject) }
  const params = Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [` ${name}="${escapeParam(value)}"`]))
  return `[${SD_ID}${params.join('')}]`
}

/** Spec: a year of four digits. */
function timeText(at: number): string {
  const text = new Date(at).toISOString()
  return /^\d{4}-/.test(text) ? text : '-'
}

/** Visible ASCII, and never empty. */
const headerText = (text: string, longest: number): string => text.replace(/[^\x21-\x7e]/g, '_').slice(0, longest) || '-'
const escapeParam = (text: string): string => printable(text).replace(/["\\\]]/g, '\\$&')
