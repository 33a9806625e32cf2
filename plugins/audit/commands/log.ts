// `audit log`: the newest records that fit the filters, newest last; or page by page from any place on, oldest first.
import { alignColumns, type CommandIo } from 'mcpgw/plugin'
import type { AuditConfig } from '../config.ts'
import type { Body } from '../opened.ts'
import type { LogReader, StoredRecord } from '../store/log-store.ts'
import { createFilter, decisionOf } from './filter.ts'
import { openSealed, type Reply, readLog, readRange } from './read.ts'
import { callerOf, countOf, detailOf, serverOf, statusOf, targetOf } from './show.ts'

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
    /** True when there are enough. */
    const take = (record: StoredRecord): boolean => {
      const body = open(record) ?? {}
      if (!all && io.options.type === undefined && BOOKKEEPING.test(record.type)) return false
      return isWanted(record, body) && found.push({ record, body }) === limit
    }
    if (typeof io.options.after !== 'string') {
      for await (const page of reader.backward(range, io.signal)) if (page.some(take)) break
      found.reverse()
      return reply(io, found)
    }
    const cursor = readCursor(reader, io.options.after)
    if (cursor === null) return { code: 2, err: 'audit log: --after: expected `start`, or what `next` said of this log\n' }
    const isWithin = ({ at }: StoredRecord): boolean => at >= range.since && at <= range.until
    let next = cursor
    for await (const page of reader.forward(io.signal, cursor)) {
      const last = page.records.find(record => isWithin(record) && take(record))
      next = last === undefined ? page.cursor : page.cursorBehind(last)
      if (last !== undefined) break
    }
    return reply(io, found, next === undefined ? 'start' : Buffer.from(next).toString('base64url'))
  })
}

/** Undefined: from the first record on; null: it is none. */
function readCursor(reader: LogReader, text: string): string | undefined | null {
  if (text === 'start') return undefined
  const cursor = Buffer.from(text, 'base64url').toString()
  return reader.isCursor(cursor) ? cursor : null
}

function reply(io: CommandIo<AuditConfig>, found: readonly Found[], next?: string): Reply {
  const out = io.json ? toJson(found, next) : found.length === 0 ? 'no records\n' : toTable(found)
  return { code: 0, out, records: found.length, ...(next !== undefined && !io.json && { err: `go on with --after ${next}\n` }) }
}

function toJson(found: readonly Found[], next: string | undefined): string {
  const records = found.map(({ record, body }) => ({
    id: `${record.stream}:${record.seq}`,
    ...body,
    prev: Buffer.from(record.prev).toString('hex'),
    hash: Buffer.from(record.hash).toString('hex'),
  }))
  return `${JSON.stringify({ records, ...(next !== undefined && { next }) }, null, 2)}\n`
}

function toTable(found: readonly Found[]): string {
  const rows = found.map(({ record, body }) => [
    new Date(record.at).toISOString(),
    statusOf(record, body) ?? record.type,
    callerOf(body) ?? '-',
    serverOf(body) ?? '-',
    targetOf(body) ?? body.action ?? '-',
    decisionOf(record, body) ?? '-',
    body.durationMs === undefined ? '-' : `${body.durationMs.toFixed(1)} ms`,
    explain(body),
  ])
  const header = ['TIME', 'STATUS', 'CONSUMER', 'SERVER', 'TOOL', 'DECISION', 'DURATION', 'WHY']
  return alignColumns([header, ...rows])
}

function explain(body: Body): string {
  const { decision, errorCode } = body
  const detail = detailOf(body)
  const times = countOf(body)
  if (errorCode !== undefined) return errorCode
  if (decision?.outcome === 'deny' || times > 1) {
    const why = [decision?.code, decision?.rules?.join(', '), decision?.reason].filter(Boolean).join(' · ')
    return times > 1 ? `${times} times ${why}`.trimEnd() : why
  }
  return detail === undefined ? '' : JSON.stringify(detail)
}
