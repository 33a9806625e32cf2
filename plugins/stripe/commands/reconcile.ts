// stripe reconcile: usage as it was taken over, the own ledger and the sums of Stripe, of one period, held against each other.
import { alignColumns, printable } from 'mcpgw/plugin'
import type { Billing, Meters } from '../billing.ts'
import { createClient } from '../client.ts'
import { differencesOf, type LedgerRow, readLedger, type Span, type Sums, sumKey } from '../ledger.ts'
import type { Line } from '../line.ts'
import { type Standing, standingOf, type Terms } from '../standing.ts'
import { type Io, withOutbox } from './with-outbox.ts'

export async function reconcile(io: Io): Promise<number> {
  const span = readPeriod(io.options.period)
  if (span === undefined) return refuse(io, 2, '--period: expected a day or month such as 2026-11-28 or 2026-11')
  const isOffline = io.options.offline === true || io.config.apiKey === undefined
  return withOutbox(
    io,
    async ({ reader, terms }) => {
      let failed: string | undefined
      const { rows, lines } = await readLedger(reader, span, terms, async found => {
        const sums = isOffline ? undefined : await askStripe(io, found, span)
        if (typeof sums !== 'string') return sums
        failed = sums
        return undefined
      })
      return failed === undefined ? tell(io, rows, lines, terms, isOffline) : refuse(io, 3, failed)
    },
    () => tell(io, [], [], { config: io.config, since: 0, now: 0 }, isOffline),
  )
}

/** Of each customer and meter; a text says why not. */
async function askStripe(io: Io, lines: readonly Line[], span: Span): Promise<Sums | string> {
  const billing: Billing = await createClient({ config: io.config })
  try {
    const meters: Meters = await billing.meters()
    const sums = new Map<string, number>()
    for (const { event, attempt } of lines) {
      const key = sumKey(attempt.customer, event)
      const meter = meters.get(event)
      if (attempt.customer === '' || meter === undefined || sums.has(key)) continue
      sums.set(key, await billing.sum(meter, attempt.customer, span.from, span.to))
    }
    return sums
  } catch (error) {
    return `Stripe cannot be asked: ${(error as Error).message}`
  } finally {
    await billing.close()
  }
}

function tell(io: Io, rows: readonly LedgerRow[], lines: readonly Line[], terms: Terms, isOffline: boolean): number {
  const found = differencesOf(rows, isOffline).map(printable)
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
