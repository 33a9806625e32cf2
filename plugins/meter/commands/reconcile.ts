// `usage --reconcile`: counts the outcomes in the audit log once more, one by one, and says whether usage has the same.
import { alignColumns, type CommandIo, type DurableOutcome, Outcomes } from 'mcpgw/plugin'
import type { MeterConfig } from '../config.ts'
import { outcomeKinds } from '../outcome-kinds.ts'
import { createPrices } from '../prices.ts'
import type { Counted, Counts, Sum, UsageStore } from '../store/usage-store.ts'
import { tally } from '../tally.ts'
import { writeTime } from './text.ts'

const DAY_MS = 86_400_000
const PROGRESS_MS = 500
const ATTEMPTS = 20

interface Asked {
  readonly from: number
  readonly to: number
  readonly tenant?: string | undefined
  readonly format: string
}

interface Difference {
  readonly day: string
  readonly tenant: string
  readonly server: string
  readonly tool: string
  /** Ends of calls, of every kind. */
  readonly log: number
  readonly usage: number
}

/** Resolves to the exit code: 0 equal, 1 not, 3 where it cannot be found out, 4 where the log or the usage of that time, or of some of it, is gone. */
export async function reconcileUsage(io: CommandIo<MeterConfig>, store: UsageStore, asked: Asked): Promise<number> {
  const outcomes = await io.find(Outcomes)
  if (outcomes === undefined) throw new Error('there is nothing to compare with: the config names no plugin that keeps the record')
  const detail = { command: 'usage --reconcile', from: new Date(asked.from).toISOString(), to: new Date(asked.to).toISOString() }
  if (!(await io.record({ type: 'log.read', detail })))
    throw new Error('nothing is compared, for this read of the audit log could not be put on record')

  const { counted, sums } = await readAtOnce(store, asked)
  const { ends, waiting, comparableFrom } = await readLog(io, outcomes, counted)
  const { keep } = io.config
  const keptFrom = keep === undefined ? Number.MIN_SAFE_INTEGER : Math.ceil((io.clock.now() - keep * DAY_MS) / DAY_MS) * DAY_MS
  const compared = Math.max(asked.from, comparableFrom, keptFrom)
  const isCompared = (day: number): boolean => day >= compared && day < asked.to
  const differences = compare(ends, sums, asked.tenant, isCompared)
  const lost = counted.lost.reduce((sum, one) => sum + one.last - one.first + 1, 0)
  const isDifferent = differences.length > 0 || lost > 0
  const isWhole = compared === asked.from
  const result = {
    equal: isDifferent ? false : isWhole ? true : null,
    compared: compared >= asked.to ? null : writeTime(compared, 'day'),
    missing: isWhole ? null : compared === keptFrom ? ('usage' as const) : ('log' as const),
    waiting,
    lost,
    differences,
  }
  io.out(asked.format === 'json' ? `${JSON.stringify(result, null, 2)}\n` : toText(result))
  if (isDifferent) return 1
  return isWhole ? 0 : 4
}

/** Sums and cursors of one moment, while a gateway may go on counting. */
async function readAtOnce(store: UsageStore, { from, to, tenant }: Asked): Promise<{ counted: Counted; sums: readonly Sum[] }> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = await store.counted()
    const sums = await store.sum({ span: 'window', from, to, tenant, by: ['day', 'tenant', 'server', 'target'] })
    const counted = await store.counted()
    if ([...counted.through].every(([stream, seq]) => before.through.get(stream) === seq)) return { counted, sums }
  }
  throw new Error('usage changed all the time while it was read; try again')
}

interface FromLog {
  readonly ends: ReadonlyMap<string, Counts>
  /** Outcomes that are not counted so far. */
  readonly waiting: number
  /** Days before have records that were taken out of the log. */
  readonly comparableFrom: number
}

async function readLog(io: CommandIo<MeterConfig>, outcomes: Outcomes, counted: Counted): Promise<FromLog> {
  const prices = createPrices(io.config)
  const ends = new Map<string, Counts>()
  const cut = new Map<string, number>(counted.latest)
  const seen = new Set<string>()
  let [waiting, records, shown] = [0, 0, io.clock.mono()]
  for await (const { pages } of outcomes.read({ through: new Map(), place: undefined }, io.signal)) {
    for (const { stream, first, through, outcomes: read } of pages) {
      if (!seen.has(stream) && first === 1) cut.delete(stream)
      const isCut = cut.has(stream)
      seen.add(stream)
      if (isCut && read.length > 0) cut.set(stream, Math.min(cut.get(stream)!, read[0]!.at))
      const mine = read.filter(({ seq }) => seq <= (counted.through.get(stream) ?? 0))
      waiting += read.length - mine.length
      addUp(ends, mine, prices)
      records += through - first + 1
    }
    if (io.interactive && io.clock.mono() - shown > PROGRESS_MS) {
      shown = io.clock.mono()
      io.err(`\r${records} records `)
    }
  }
  if (io.signal.aborted) throw new Error('stopped before the log was read')
  const latestCut = Math.max(Number.MIN_SAFE_INTEGER, ...cut.values())
  return { ends, waiting, comparableFrom: cut.size === 0 ? latestCut : (Math.floor(latestCut / DAY_MS) + 1) * DAY_MS }
}

const keyOf = (day: number, tenant: string, server: string, target: string): string => JSON.stringify([day, tenant, server, target])

function addUp(ends: Map<string, Counts>, outcomes: readonly DurableOutcome[], prices: ReturnType<typeof createPrices>): void {
  for (const row of tally(outcomes, { window: 'day', prices }).rows) {
    if (row.span !== 'window') continue
    const key = keyOf(row.start, row.tenant, row.server, row.target)
    const before = ends.get(key)
    ends.set(key, before === undefined ? row : plus(before, row))
  }
}

function plus(a: Counts, b: Counts): Counts {
  return {
    ...a,
    ends: Object.fromEntries(outcomeKinds.map(kind => [kind, a.ends[kind] + b.ends[kind]])) as Counts['ends'],
    requestBytes: a.requestBytes + b.requestBytes,
    resultBytes: a.resultBytes + b.resultBytes,
  }
}

function compare(
  ends: ReadonlyMap<string, Counts>,
  sums: readonly Sum[],
  tenant: string | undefined,
  isCompared: (day: number) => boolean,
): Difference[] {
  const usage = new Map(sums.map(sum => [keyOf(sum.day!, sum.tenant!, sum.server!, sum.target!), sum]))
  const keys = [...new Set([...ends.keys(), ...usage.keys()])].sort()
  return keys.flatMap(key => {
    const [day, ofTenant, server, tool] = JSON.parse(key) as [number, string, string, string]
    const [log, counted] = [ends.get(key), usage.get(key)]
    if (!isCompared(day) || (tenant !== undefined && ofTenant !== tenant) || isSame(log, counted)) return []
    return [{ day: writeTime(day, 'day'), tenant: ofTenant, server, tool, log: sizeOf(log), usage: sizeOf(counted) }]
  })
}

/** Units are not compared: they go by the prices of their time. */
function isSame(a: Counts | undefined, b: Counts | undefined): boolean {
  if (a === undefined || b === undefined) return sizeOf(a) === sizeOf(b)
  return outcomeKinds.every(kind => a.ends[kind] === b.ends[kind]) && a.requestBytes === b.requestBytes && a.resultBytes === b.resultBytes
}

const sizeOf = (counts: Counts | undefined): number =>
  counts === undefined ? 0 : Object.values(counts.ends).reduce((sum, n) => sum + n, 0)

interface Result {
  /** null: what could be compared is equal, and that is not all of the period. */
  readonly equal: boolean | null
  /** The first day that was compared; null: none. */
  readonly compared: string | null
  /** What is gone of the days before. */
  readonly missing: 'usage' | 'log' | null
  readonly waiting: number
  readonly lost: number
  readonly differences: readonly Difference[]
}

function toText({ compared, missing, waiting, lost, differences }: Result): string {
  const lines: string[] = []
  const gone = missing === 'usage' ? 'usage is not kept any more' : 'records were taken out of the audit log'
  const span = missing === null ? '' : ` from ${compared} on`
  if (compared === null) lines.push(`NOT COMPARED: of this time ${gone}`)
  else if (differences.length > 0) lines.push(`DIFFERENT${span}: ${differences.length} sums are not those of the audit log`)
  else lines.push(`EQUAL${span}: usage has what the audit log has`)
  if (compared !== null && missing !== null) lines.push(`NOT COMPARED before ${compared}: ${gone}`)
  if (waiting > 0)
    lines.push(`${waiting} outcomes are not counted yet: a running gateway does within seconds, one that is started does first`)
  if (lost > 0) lines.push(`LOST: ${lost} records were taken out of the audit log before they were counted`)
  const rows = differences.map(one => [one.day, one.tenant, one.server, one.tool, String(one.log), String(one.usage)])
  const table = rows.length === 0 ? '' : alignColumns([['DAY', 'TENANT', 'SERVER', 'TOOL', 'LOG', 'USAGE'], ...rows], 4)
  return `${lines.join('\n')}\n${table}`
}
