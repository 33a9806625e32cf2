// Usage as it was taken over, the own ledger and, where it was asked, Stripe, held against each other for a time.

import { type Line, wholeOf } from './line.ts'
import { type Counted, compileMeters } from './meters.ts'
import { standingOf, type Terms } from './standing.ts'
import type { OutboxReader, UsageCopy } from './store/outbox.ts'

export interface Span {
  readonly from: number
  readonly to: number
}

export interface LedgerRow {
  readonly tenant: string
  readonly event: string
  readonly customer: string
  /** By the usage, under the rules of now. */
  readonly used: number
  /** By the ledger: to be billed, and billed. */
  readonly wanted: number
  readonly billed: number
  /** By the sums of Stripe; undefined where it was not asked. */
  readonly stripe: number | undefined
}

export interface Ledger {
  readonly rows: readonly LedgerRow[]
  readonly lines: readonly Line[]
}

/** Sums of Stripe by customer and meter, as `sumKey` names them. */
export type Sums = ReadonlyMap<string, number>
export const sumKey = (customer: string, event: string): string => JSON.stringify([customer, event])

export async function readLedger(
  reader: Pick<OutboxReader, 'within' | 'usageWithin'>,
  { from, to }: Span,
  terms: Terms & { readonly config: { readonly meters: Parameters<typeof compileMeters>[0] } },
  ask: (lines: readonly Line[]) => Promise<Sums | undefined> = async () => undefined,
): Promise<Ledger> {
  const lines = (await reader.within(from, to)).filter(line => standingOf(line, terms) !== 'before')
  const meters = compileMeters(terms.config.meters)
  const usage = groupBy(
    (await reader.usageWithin(from, to)).filter(({ end }) => end > terms.since),
    ({ tenant }) => tenant,
  )
  const sums = await ask(lines)
  const places = groupBy(lines, line => JSON.stringify([line.tenant, line.event, line.of]))
  const rows = [...places.values()].map((of): LedgerRow => {
    const [first] = of as [Line]
    const { tenant, event, attempt } = first
    const customer = of.find(line => line.sent !== 0)?.attempt.customer ?? attempt.customer
    return {
      tenant,
      event,
      customer,
      used: usedBy(usage.get(tenant) ?? [], first, meters),
      wanted: sumOf(of, 'wanted'),
      billed: sumOf(of, 'sent'),
      stripe: customer === '' ? undefined : sums?.get(sumKey(customer, event)),
    }
  })
  return { rows, lines }
}

function groupBy<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const one of all) {
    const key = keyOf(one)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [one])
    else group.push(one)
  }
  return groups
}

const sumOf = (lines: readonly Line[], what: 'wanted' | 'sent'): number => lines.reduce((sum, line) => sum + line[what], 0)

/** Rounded down for each window, as it is billed. `usage`: of the tenant. */
function usedBy(usage: readonly UsageCopy[], { event, of }: Line, meters: readonly Counted[]): number {
  const meter = meters.find(one => one.event === event && one.of === of)
  const windows = new Map<number, number>()
  for (const row of usage) {
    if (meter?.counts(row) === true) windows.set(row.start, (windows.get(row.start) ?? 0) + (of === 'calls' ? row.calls : row.milliUnits))
  }
  return [...windows.values()].reduce((sum, used) => sum + wholeOf(of, used), 0)
}

/** Several tenants may be billed to one customer, whose sum is then that of all of them. */
export function differencesOf(rows: readonly LedgerRow[], isOffline: boolean): string[] {
  const found = rows.flatMap(({ tenant, event, used, wanted, billed }) => [
    ...(used === wanted ? [] : [`${tenant} ${event}: used ${used}, but the ledger has ${wanted} (meters in the config were changed?)`]),
    ...(wanted === billed ? [] : [`${tenant} ${event}: ${wanted} used, ${billed} billed`]),
  ])
  const customers = new Set(isOffline ? [] : rows.filter(({ customer }) => customer !== '').map(row => sumKey(row.customer, row.event)))
  for (const key of customers) {
    const of = rows.filter(row => sumKey(row.customer, row.event) === key)
    const billed = of.reduce((sum, row) => sum + row.billed, 0)
    const { customer, event, stripe = 0 } = of[0]!
    if (billed !== stripe) found.push(`${customer} ${event}: ${billed} billed, but Stripe has ${stripe}`)
  }
  return found
}
