// `audit stats`: how many calls ended how, by tool and caller, and how long they took.
import { alignColumns, type CommandIo } from 'mcpgw/plugin'
import type { AuditConfig } from '../config.ts'
import type { Body } from '../opened.ts'
import { createFilter } from './filter.ts'
import { openSealed, readLog, readRange } from './read.ts'
import { callerOf, countOf, statusOf, targetOf } from './show.ts'

interface Group {
  calls: number
  errors: number
  refused: number
  readonly latency: Latency
}

export async function showStats(io: CommandIo<AuditConfig>): Promise<number> {
  const range = readRange(io)
  if (typeof range === 'string') {
    io.err(`audit stats: ${range}\n`)
    return 2
  }
  return readLog(io, 'audit stats', async ({ reader }) => {
    const open = await openSealed(io, reader)
    const isWanted = await createFilter(io, reader, false)
    const outcomes = new Map<string, number>()
    const tools = new Map<string, Group>()
    const consumers = new Map<string, Group>()
    const all = newGroup()
    for await (const { records } of reader.forward(io.signal)) {
      for (const record of records) {
        if (record.type !== 'outcome' && record.type !== 'refusal' && record.type !== 'refusal.repeated') continue
        if (record.at < range.since || record.at > range.until) continue
        const body = open(record)
        if (body === undefined || !isWanted(record, body)) continue
        const status = statusOf(record, body) ?? 'unknown'
        const times = countOf(body)
        outcomes.set(status, (outcomes.get(status) ?? 0) + times)
        for (const group of [all, find(tools, nameTarget(body)), find(consumers, callerOf(body) ?? '(anonymous)')])
          count(group, status, body.durationMs, times)
      }
    }
    return { code: 0, out: io.json ? toJson(outcomes, all, tools, consumers) : toText(outcomes, all, tools, consumers) }
  })
}

const newGroup = (): Group => ({ calls: 0, errors: 0, refused: 0, latency: createLatency() })

function find(groups: Map<string, Group>, key: string): Group {
  const group = groups.get(key) ?? newGroup()
  groups.set(key, group)
  return group
}

function nameTarget(body: Body): string {
  const target = targetOf(body) ?? body.action ?? '-'
  return body.server === undefined ? target : `${body.server} ${target}`
}

function count(group: Group, status: string, ms: number | undefined, times: number): void {
  if (status === 'refused') {
    group.refused += times
    return
  }
  group.calls += times
  if (status !== 'answered') group.errors += times
  if (ms !== undefined) group.latency.add(ms)
}

interface Latency {
  add(ms: number): void
  /** Milliseconds, exact to 3 %; null where nothing was counted. */
  at(share: number): number | null
}

/** Buckets that grow by 6 %, so that memory does not grow with the log. */
function createLatency(): Latency {
  const buckets = new Map<number, number>()
  let total = 0
  const growth = Math.log(1.06)
  return {
    add(ms) {
      const bucket = Math.round(Math.log(Math.max(ms, 0.001)) / growth)
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1)
      total += 1
    },
    at(share) {
      let left = Math.ceil(total * share)
      for (const [bucket, size] of [...buckets].sort(([a], [b]) => a - b)) {
        left -= size
        if (left <= 0) return Number(Math.exp(bucket * growth).toPrecision(3))
      }
      return null
    },
  }
}

type Groups = ReadonlyMap<string, Group>
const sorted = (groups: Groups): [string, Group][] => [...groups].sort(([a, x], [b, y]) => y.calls - x.calls || (a < b ? -1 : 1))
const byName = (outcomes: ReadonlyMap<string, number>): [string, number][] => [...outcomes].sort(([a], [b]) => (a < b ? -1 : 1))
const describe = ({ calls, errors, refused, latency }: Group): Record<string, unknown> => ({
  calls,
  errors,
  refused,
  latencyMs: { p50: latency.at(0.5), p95: latency.at(0.95), p99: latency.at(0.99) },
})

function toJson(outcomes: ReadonlyMap<string, number>, all: Group, tools: Groups, consumers: Groups): string {
  const list = (groups: Groups): unknown[] => sorted(groups).map(([name, group]) => ({ name, ...describe(group) }))
  const document = { ...describe(all), outcomes: Object.fromEntries(byName(outcomes)), tools: list(tools), consumers: list(consumers) }
  return `${JSON.stringify(document, null, 2)}\n`
}

function toText(outcomes: ReadonlyMap<string, number>, all: Group, tools: Groups, consumers: Groups): string {
  const ms = (value: number | null): string => (value === null ? '-' : `${value} ms`)
  const cells = (name: string, { calls, errors, refused, latency }: Group): string[] => [
    name,
    ...[calls, errors, refused].map(String),
    ...[0.5, 0.95, 0.99].map(share => ms(latency.at(share))),
  ]
  const header = (title: string): string[] => [title, 'CALLS', 'ERRORS', 'REFUSED', 'P50', 'P95', 'P99']
  const table = (title: string, groups: Groups): string =>
    alignColumns([header(title), ...sorted(groups).map(([name, group]) => cells(name, group))])
  const counts = byName(outcomes).map(([status, size]) => [status, String(size)])
  return [
    alignColumns([header('ALL'), cells('all', all)]),
    alignColumns([['OUTCOME', 'COUNT'], ...counts]),
    table('TOOL', tools),
    table('CONSUMER', consumers),
  ].join('\n')
}
