// Events in the ArcSight Common Event Format, version 0: one line, and no value that could be taken for another field or another event.

import { isIPv4 } from 'node:net'
import { printable } from 'mcpgw/plugin'
import { hexOf } from '../bytes.ts'
import { type AuditEvent, durationOf, fieldsOf, numberOf, type Severity, targetOf, textOf } from './event.ts'

const SEVERITIES: { readonly [severity in Severity]: number } = { info: 1, notice: 4, warning: 7 }
/** Longest value that receivers are bound to keep. */
const LONGEST = 1023

/** `version`: of the gateway. It has no room for contents and details. */
export function toCef(event: AuditEvent, version: string): string {
  const { record, message, severity } = event
  const head = ['CEF:0', 'mcpgw', 'mcpgw', version, record.type, message, `${SEVERITIES[severity]}`]
  const fields = Object.entries(fieldsIn(event)).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${escapeValue(value)}`]))
  return `${head.map(escapeHead).join('|')}|${fields.join(' ')}`
}

function fieldsIn(event: AuditEvent): Readonly<Record<string, string | undefined>> {
  const { id, record, body, success, status } = event
  const { subject, tenant, server, callId, errorCode, decision, count } = body
  const { code, reason, rules, outcome } = fieldsOf(decision)
  const http = fieldsOf(body.http)
  const actor = fieldsOf(body.actor)
  return {
    rt: `${record.at}`,
    externalId: id,
    deviceExternalId: record.stream,
    act: textOf(outcome) ?? status,
    outcome: success === undefined ? undefined : success ? 'success' : 'failure',
    suid: textOf(actor.id) ?? textOf(subject),
    suser: textOf(actor.name),
    ...addressOf(textOf(fieldsOf(body.source).ip)),
    app: textOf(body.transport),
    requestMethod: textOf(http.method),
    request: textOf(http.path),
    reason: textOf(errorCode) ?? textOf(code),
    msg: textOf(reason),
    cnt: numberOf(count) === undefined ? undefined : `${numberOf(count)}`,
    ...labelled('cs1', 'tenant', textOf(tenant)),
    ...labelled('cs2', 'server', textOf(server)),
    ...labelled('cs3', 'target', targetOf(body)),
    ...labelled('cs4', 'rules', Array.isArray(rules) ? rules.filter(rule => typeof rule === 'string').join(' ') : undefined),
    ...labelled('cs5', 'callId', textOf(callId)),
    ...labelled('cs6', 'hash', hexOf(record.hash)),
    ...labelled('cn1', 'durationMs', durationOf(body)?.toString()),
  }
}

function labelled(key: string, label: string, value: string | undefined): Readonly<Record<string, string>> {
  return value === undefined || value === '' ? {} : { [`${key}Label`]: label, [key]: value }
}

/** Spec: `src` is for IPv4 only. */
function addressOf(ip: string | undefined): Readonly<Record<string, string>> {
  if (ip === undefined) return {}
  return isIPv4(ip) ? { src: ip } : { c6a2Label: 'Source IPv6 Address', c6a2: ip }
}

// Line breaks and all else that acts on a reader of lines is written out first.
const escapeHead = (text: string): string => printable(text.slice(0, LONGEST)).replace(/[\\|]/g, '\\$&')
const escapeValue = (text: string): string => printable(text.slice(0, LONGEST)).replace(/[\\=]/g, '\\$&')
