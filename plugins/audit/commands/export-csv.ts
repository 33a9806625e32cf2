// The log for people and spreadsheets: a row for each record that was asked for, with the names that are sealed in it where the key is there.
import { type CommandIo, type CsvCell, writeCsvRow } from 'mcpgw/plugin'
import type { AuditConfig } from '../config.ts'
import type { Body, OpenRecord } from '../opened.ts'
import type { LogReader, StoredRecord, TimeRange } from '../store/log-store.ts'
import type { Form } from './export-file.ts'
import { createFilter, decisionOf } from './filter.ts'
import { countOf, detailOf, statusOf, targetOf } from './show.ts'

/** Anybody may have changed a body: each member may be anything, and is a cell all the same. */
type Members = Readonly<Record<string, unknown>>
type Column = readonly [name: string, cell: (record: StoredRecord, body: Body, members: Members) => unknown]

/** In this order in every file; new ones are added behind the last one only. */
const COLUMNS: readonly Column[] = [
  ['id', ({ stream, seq }) => `${stream}:${seq}`],
  ['at', ({ at }) => timeOf(at)],
  ['type', ({ type }) => type],
  ['call', ({ call }) => call],
  ['status', statusOf],
  ['decision', decisionOf],
  ['rules', (_, { decision }) => (Array.isArray(decision?.rules) ? decision.rules.join(' ') : decision?.rules)],
  ['code', (_, { decision, errorCode }) => decision?.code ?? errorCode],
  ['reason', (_, { decision }) => decision?.reason],
  ['tenant', (_, { tenant }) => tenant],
  ['consumer', (_, { actor }) => actor?.id],
  ['subject', (_, { subject }) => subject],
  ['client', (_, __, { client }) => nameOf(client)],
  ['source_ip', (_, __, { source }) => (source as { ip?: unknown } | undefined)?.ip],
  ['transport', (_, __, { transport }) => transport],
  ['protocol_version', (_, __, { protocolVersion }) => protocolVersion],
  ['action', (_, { action }) => action],
  ['server', (_, { server }) => server],
  ['target', (_, body) => targetOf(body)],
  ['count', (_, body) => countOf(body)],
  ['duration_ms', (_, { durationMs }) => durationMs],
  ['upstream_ms', (_, __, { upstreamMs }) => upstreamMs],
  ['args_bytes', (_, __, { argsBytes }) => argsBytes],
  ['args_digest', (_, __, { argsDigest }) => argsDigest],
  ['result_bytes', (_, __, { resultBytes }) => resultBytes],
  ['result_digest', (_, __, { resultDigest }) => resultDigest],
  ['redactions', (_, __, { redactions }) => redactions],
  ['success', (_, __, { success }) => success],
  ['detail', (_, body) => detailOf(body)],
  ['hash', ({ hash }) => Buffer.from(hash).toString('hex')],
]
const CONTENTS: readonly Column[] = (['args', 'inputs', 'result'] as const).map(label => [
  label,
  (_, __, members) => (members[label] === undefined ? members[`${label}Preview`] : (JSON.stringify(members[label]) ?? '')),
])

export interface CsvOptions {
  readonly io: CommandIo<AuditConfig>
  readonly reader: LogReader
  readonly open: OpenRecord
  readonly range: TimeRange
  readonly contents: boolean
  /** Beside what the options choose. */
  readonly only?: (record: StoredRecord) => boolean
}

export async function exportRows({ io, reader, open, range, contents, only = () => true }: CsvOptions): Promise<Form> {
  const isWanted = await createFilter(io, reader, true)
  const columns = contents ? [...COLUMNS, ...CONTENTS] : COLUMNS
  let rows = 0
  return {
    head: writeCsvRow(columns.map(([name]) => name)),
    write: records =>
      records
        .map(record => {
          if (!only(record)) return ''
          const body = open(record) ?? {}
          if (record.at < range.since || record.at > range.until || !isWanted(record, body)) return ''
          rows += 1
          return writeCsvRow(columns.map(([, cell]) => toCell(cell(record, body, body as Members))))
        })
        .join(''),
    tail: '',
    notes: [],
    describe: records => `${rows} of ${records} records exported`,
  }
}

function toCell(value: unknown): CsvCell {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : (value as CsvCell)
}

function timeOf(at: number): string | number {
  const time = new Date(at)
  return Number.isNaN(time.getTime()) ? at : time.toISOString()
}

function nameOf(client: unknown): unknown {
  const { name, version } = (client ?? {}) as { name?: unknown; version?: unknown }
  return [name, version].filter(one => typeof one === 'string').join(' ')
}
