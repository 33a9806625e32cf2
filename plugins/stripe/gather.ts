// Takes usage over into the outbox: what has changed since, with the place where it was read, in one transaction.
import { hash } from 'node:crypto'
import type { Usage, UsageRow } from 'mcpgw/plugin'
import type { StripeConfig } from './config.ts'
import { type Line, lineId, wholeOf } from './line.ts'
import { type Counted, compileMeters } from './meters.ts'
import type { OutboxReader, OutboxWriter, UsageCopy } from './store/outbox.ts'

export type Rules = Pick<StripeConfig, 'meters' | 'customers' | 'unknownCustomer'>

export interface Gathering {
  readonly usage: Usage
  readonly rules: Rules
  /** ms since 1970: lines of windows that had ended by then are not sent. */
  readonly since: number
  /** Lines that may be added to those that are to be sent. */
  readonly room: number
  readonly reader: OutboxReader
  readonly writer: OutboxWriter
  readonly signal: AbortSignal
}

/**
 * Of windows that had ended by `endedBy`, as far as there is room. Resolves to the lines that were added to what is to be sent. What was used
 * before billing began has its lines, too: they are not sent, unless the config says so one day. A row that was seen before counts with what it has risen by, under the rules of now: what was taken
 * over is not taken over again where they change.
 */
export async function gather({ usage, rules, since, room, reader, writer, signal }: Gathering, endedBy: number): Promise<number> {
  const counted = compileMeters(rules.meters)
  const { cursor: from } = await reader.notes()
  const isCustomer = ({ tenant }: { readonly tenant: string }): boolean => Object.hasOwn(rules.customers, tenant)
  let taken = 0
  for await (const { rows, cursor } of usage.changes(from, endedBy, signal)) {
    const copies = new Map(rows.map(row => [usageId(row), row]))
    const known = new Map((await reader.usage([...copies.keys()])).map(copy => [copy.id, copy]))
    const rises = new Map<string, Omit<Line, 'attempt' | 'sent' | 'wanted'>>()
    for (const [id, row] of copies) {
      if (rules.unknownCustomer === 'ignore' && !isCustomer(row)) continue
      for (const rule of counted) if (rule.counts(row)) addRise(rises, row, rule, known.get(id))
    }
    const lines = new Map((await reader.lines([...rises.keys()])).map(line => [line.id, line]))
    const totals = [...rises.values()].map(rise => {
      const used = (lines.get(rise.id)?.used ?? 0) + rise.used
      return { ...rise, used, wanted: wholeOf(rise.of, used) }
    })
    taken += totals.filter(line => line.end > since && isCustomer(line)).length
    await writer.commit({ usage: [...copies].map(([id, row]) => toCopy(id, row)), totals, notes: { cursor } })
    if (taken >= room) break
  }
  return taken
}

function addRise(
  rises: Map<string, Omit<Line, 'attempt' | 'sent' | 'wanted'>>,
  { start, end, tenant, calls, milliUnits }: UsageRow,
  { event, of }: Counted,
  before: UsageCopy | undefined,
): void {
  const rise = of === 'calls' ? calls - (before?.calls ?? 0) : milliUnits - (before?.milliUnits ?? 0)
  if (rise === 0) return
  const id = lineId(tenant, event, of, start, end)
  rises.set(id, { id, tenant, event, of, start, end, used: (rises.get(id)?.used ?? 0) + rise })
}

const usageId = ({ start, end, tenant, subject, server, target }: UsageRow): string =>
  hash('sha256', JSON.stringify([start, end, tenant, subject, server, target]), 'hex').slice(0, 32)

const toCopy = (id: string, { start, end, tenant, server, target, calls, milliUnits }: UsageRow): UsageCopy => ({
  id,
  start,
  end,
  tenant,
  server,
  target,
  calls,
  milliUnits,
})
