// `audit log`: the newest records that fit the filters, newest last.
import type { CommandIo } from 'mcpgw/plugin'
import type { AuditConfig } from '../config.ts'
import type { Body } from '../opened.ts'
import type { StoredRecord } from '../store/log-store.ts'
import { createFilter, decisionOf } from './filter.ts'
import { openSealed, readLog, readRange } from './read.ts'
import { alignColumns, countOf, printable, statusOf, targetOf } from './show.ts'

interface Found {
  readonly record: StoredRecord
  readonly body: Body
}

/** What the log says of itself and of its readers: most readers ask what was done through the gateway. */
const BOOKKEEPING = /^(stream\.(start|stop)|audit\.checkpoint|log\.(read|verify|export))$/

export async function showLog(io: CommandIo<AuditConfig>): Promise<number> {
  const range = readRange(io)
  const limit = Number(io.options.limit)
  if (typeof range === 'string' || !Number.isInteger(limit) || limit < 1) {
    io.err(`audit log: ${typeof range === 'string' ? range : '--limit: expected a whole number above 0'}\n`)
    return 2
  }
  const all = io.options.all === true
  return readLog(io, 'audit log', async ({ reader }) => {
    const open = await openSealed(io, reader)
    const isWanted = await createFilter(io, reader, all || io.options.intents === true)
    const found: Found[] = []
    for await (const page of reader.backward(range, io.signal)) {
      for (const record of page) {
        const body = open(record) ?? {}
        if (!all && io.options.type === undefined && BOOKKEEPING.test(record.type)) continue
        if (isWanted(record, body) && found.push({ record, body }) === limit) break
      }
      if (found.length === limit) break
    }
    found.reverse()
    const out = io.json ? toJson(found) : found.length === 0 ? 'no records\n' : toTable(found)
    return { code: 0, out, records: found.length }
  })
}

function toJson(found: readonly Found[]): string {
  const records = found.map(({ record, body }) => ({
    id: `${record.stream}:${record.seq}`,
    ...body,
    prev: Buffer.from(record.prev).toString('hex'),
    hash: Buffer.from(record.hash).toString('hex'),
  }))
  return `${JSON.stringify({ records }, null, 2)}\n`
}

function toTable(found: readonly Found[]): string {
  const rows = found.map(({ record, body }) => [
    new Date(record.at).toISOString(),
    statusOf(record, body) ?? record.type,
    body.actor?.id ?? '-',
    body.server ?? '-',
    targetOf(body) ?? body.action ?? '-',
    decisionOf(record, body) ?? '-',
    body.durationMs === undefined ? '-' : `${body.durationMs.toFixed(1)} ms`,
    explain(body),
  ])
  const header = ['TIME', 'STATUS', 'CONSUMER', 'SERVER', 'TOOL', 'DECISION', 'DURATION', 'WHY']
  return alignColumns([header, ...rows.map(row => row.map(printable))])
}

function explain(body: Body): string {
  const { decision, errorCode, detail } = body
  const times = countOf(body)
  if (errorCode !== undefined) return errorCode
  if (decision?.outcome === 'deny' || times > 1) {
    const why = [decision?.code, decision?.rules?.join(', '), decision?.reason].filter(Boolean).join(' · ')
    return times > 1 ? `${times} times ${why}`.trimEnd() : why
  }
  return detail === undefined ? '' : JSON.stringify(detail)
}
