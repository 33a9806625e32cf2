// The forms in which an event leaves as one line of text.
import { writeLine } from '../export-line.ts'
import { escapeInvisible } from '../json-text.ts'
import type { AuditEvent } from './event.ts'

/** As they are called in the settings. */
export const forms = ['mcpgw', 'evidence'] as const
export type FormName = (typeof forms)[number]

export interface Form {
  readonly contentType: string
  /** Without a line break. */
  write(event: AuditEvent): string
}

const JSON_LINES = 'application/x-ndjson'

export function formOf(name: FormName): Form {
  switch (name) {
    case 'mcpgw':
      return { contentType: JSON_LINES, write: event => toJson(describe(event)) }
    case 'evidence':
      return { contentType: JSON_LINES, write: ({ record }) => writeLine({ kind: 'record', ...record }).trimEnd() }
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

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
