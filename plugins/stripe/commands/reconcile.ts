// stripe reconcile: usage as it was taken over, the own ledger and the sums of Stripe, of one period, held against each other.
import { alignColumns, printable } from 'mcpgw/plugin'
import type { Billing, Meters } from '../billing.ts'
import { createClient } from '../client.ts'
import { type Line, wholeOf } from '../line.ts'
import { type Counted, compileMeters } from '../meters.ts'
import { type Standing, standingOf, type Terms } from '../standing.ts'
import type { UsageCopy } from '../store/outbox.ts'
import { type Io, withOutbox } from './with-outbox.ts'

interface Row {
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

export async function reconcile(io: Io): Promise<number> {
  const span = readPeriod(io.options.period)
  if (span === undefined) return refuse(io, 2, '--period: expected a day or month such as 2026-11-28 or 2026-11')
  const isOffline = io.options.offline === true || io.config.apiKey === undefined
  return withOutbox(
    io,
    async ({ reader, terms }) => {
      const lines = (await reader.within(span.from, span.to)).filter(line => standingOf(line, terms) !== 'before')
      const meters = compileMeters(io.config.meters)
      const usage = byTenant((await reader.usageWithin(span.from, span.to)).filter(({ end }) => end > terms.since))
      const places = group(lines)
      const sums = isOffline ? undefined : await askStripe(io, places, span)
      if (typeof sums === 'string') return refuse(io, 3, sums)
      const rows = [...places.values()].map((of): Row => {
        const [{ tenant, event, attempt }] = of as [Line]
        const customer = of.find(line => line.sent !== 0)?.attempt.customer ?? attempt.customer
        const key = JSON.stringify([customer, event])
        return {
          tenant,
          event,
          customer,
          used: usedBy(usage.get(tenant) ?? [], of[0]!, meters),
          wanted: sumOf(of, 'wanted'),
          billed: sumOf(of, 'sent'),
          stripe: customer === '' ? undefined : sums?.get(key),
        }
      })
      return tell(io, rows, lines, terms, isOffline)
    },
    () => tell(io, [], [], { config: io.config, since: 0, now: 0 }, isOffline),
  )
}

const sumOf = (lines: readonly Line[], what: 'wanted' | 'sent'): number => lines.reduce((sum, line) => sum + line[what], 0)

function group(lines: readonly Line[]): Map<string, Line[]> {
  const places = new Map<string, Line[]>()
  for (const line of lines) {
    const key = JSON.stringify([line.tenant, line.event, line.of])
    const found = places.get(key)
    if (found === undefined) places.set(key, [line])
    else found.push(line)
  }
  return places
}

function byTenant(usage: readonly UsageCopy[]): Map<string, UsageCopy[]> {
  const tenants = new Map<string, UsageCopy[]>()
  for (const row of usage) {
    const rows = tenants.get(row.tenant)
    if (rows === undefined) tenants.set(row.tenant, [row])
    else rows.push(row)
  }
  return tenants
}

/** Rounded down for each window, as it is billed. `usage`: of the tenant. */
function usedBy(usage: readonly UsageCopy[], { event, of }: Line, meters: readonly Counted[]): number {
  const meter = meters.find(one => one.event === event && one.of === of)
  const windows = new Map<number, number>()
  for (const row of usage) {
    if (meter?.counts(row) === true) windows.set(row.start, (windows.get(row.start) ?? 0) + (of === 'calls' ? row.calls : row.milliUnits))
  }
  return [...windows.values()].reduce((sum, used) => sum + wholeOf(of, used), 0)
}

/** Of each customer and meter; a text says why not. */
async function askStripe(io: Io, places: ReadonlyMap<string, Line[]>, span: Span): Promise<Map<string, number> | string> {
  const billing: Billing = await createClient({ config: io.config })
  try {
    const meters: Meters = await billing.meters()
    const sums = new Map<string, number>()
    for (const lines of places.values()) {
      for (const { event, attempt } of lines) {
        const key = JSON.stringify([attempt.customer, event])
        const meter = meters.get(event)
        if (attempt.customer === '' || meter === undefined || sums.has(key)) continue
        sums.set(key, await billing.sum(meter, attempt.customer, span.from, span.to))
      }
    }
    return sums
  } catch (error) {
    return `Stripe cannot be asked: ${(error as Error).message}`
  } finally {
    await billing.close()
  }
}

/** Several tenants may be billed to one customer, whose sum is then that of all of them. */
function differences(rows: readonly Row[], isOffline: boolean): string[] {
  const found = rows.flatMap(({ tenant, event, used, wanted, billed }) => [
    ...(used === wanted ? [] : [`${tenant} ${event}: used ${used}, but the ledger has ${wanted} (meters in the config were changed?)`]),
    ...(wanted === billed ? [] : [`${tenant} ${event}: ${wanted} used, ${billed} billed`]),
  ])
  const customers = new Set(
    isOffline ? [] : rows.filter(({ customer }) => customer !== '').map(row => JSON.stringify([row.customer, row.event])),
  )
  for (const key of customers) {
    const of = rows.filter(row => JSON.stringify([row.customer, row.event]) === key)
    const billed = of.reduce((sum, row) => sum + row.billed, 0)
    const { customer, event, stripe = 0 } = of[0]!
    if (billed !== stripe) found.push(`${customer} ${event}: ${billed} billed, but Stripe has ${stripe}`)
  }
  return found
}

function tell(io: Io, rows: readonly Row[], lines: readonly Line[], terms: Terms, isOffline: boolean): number {
  const found = differences(rows, isOffline).map(printable)
  const standing: Partial<Record<Standing, number>> = {}
  for (const line of lines) standing[standingOf(line, terms)] = (standing[standingOf(line, terms)] ?? 0) + 1
  if (io.json) io.out(JSON.stringify({ agree: found.length === 0, stripe: !isOffline, rows, lines: standing, differences: found }, null, 2))
  else {
    const cells = rows.map(row => [row.tenant || '-', row.event, row.used, row.wanted, row.billed, row.stripe ?? '-'].map(String))
    if (rows.length > 0) io.out(alignColumns([['TENANT', 'METER', 'USED', 'LEDGER', 'BILLED', 'STRIPE'], ...cells]))
    for (const line of found) io.out(`differs: ${line}`)
    io.out(
      found.length > 0 ? 'NOT IN AGREEMENT' : isOffline ? 'usage and ledger agree; Stripe was not asked' : 'usage, ledger and Stripe agree',
    )
  }
  return found.length === 0 ? 0 : 1
}

interface Span {
  readonly from: number
  readonly to: number
}

function readPeriod(text: string | boolean | undefined): Span | undefined {
  const [, year, month, day] = /^(\d{4})-(\d{2})(?:-(\d{2}))?$/.exec(String(text)) ?? []
  const from = Date.parse(String(text))
  if (year === undefined || Number.isNaN(from) || new Date(from).toISOString().slice(0, String(text).length) !== text) return undefined
  const to = day === undefined ? Date.UTC(Number(year), Number(month), 1) : from + 24 * 3_600_000
  return { from, to }
}

function refuse(io: Io, code: number, why: string): number {
  io.err(`stripe reconcile: ${why}`)
  return code
}
