// The forms in which an event leaves as one line of text.

import { hexOf } from '../bytes.ts'
import { writeLine } from '../export-line.ts'
import { escapeInvisible } from '../json-text.ts'
import { toCef } from './cef.ts'
import { toEcs } from './ecs.ts'
import type { AuditEvent } from './event.ts'
import { toOcsf } from './ocsf.ts'

/** As they are called in the settings. */
export const forms = ['mcpgw', 'ocsf', 'ecs', 'cef', 'evidence'] as const
export type FormName = (typeof forms)[number]

export interface Form {
  readonly contentType: string
  /** Without a line break. */
  write(event: AuditEvent): string
}

const JSON_LINES = 'application/x-ndjson'

/** `version`: of the gateway. */
export function formOf(name: FormName, version: string): Form {
  switch (name) {
    case 'mcpgw':
      return { contentType: JSON_LINES, write: event => toJson(describe(event)) }
    case 'ocsf':
      return { contentType: JSON_LINES, write: event => toJson(toOcsf(event, version)) }
    case 'ecs':
      return { contentType: JSON_LINES, write: event => toJson(toEcs(event, version)) }
    case 'cef':
      return { contentType: 'text/plain; charset=utf-8', write: event => toCef(event, version) }
    case 'evidence':
      return { contentType: JSON_LINES, write: ({ record }) => escapeInvisible(writeLine({ kind: 'record', ...record }).trimEnd()) }
  }
}

/** On one line, and nothing in it that a terminal or a reader of lines acts on. */
function toJson(value: object): string {
  return escapeInvisible(JSON.stringify(value))
}

/** The record with its id and its place in the chain. */
function describe({ id, record, body }: AuditEvent): object {
  const { stream, seq, type, at, prev, hash } = record
  return { id, stream, seq, type, at, ...body, prev: hexOf(prev), hash: hexOf(hash) }
}
