// `usage`: the report, or its comparison with the audit log, as it was asked for.
import { type CommandIo, Outcomes } from 'mcpgw/plugin'
import type { MeterConfig } from '../config.ts'
import { EXPECTED, readPeriod } from '../periods.ts'
import { openUsage } from '../store/open.ts'
import type { UsageStore } from '../store/usage-store.ts'
import { checkPrices } from './check-prices.ts'
import { reconcileUsage } from './reconcile.ts'
import { type Format, formats, writeReport } from './render.ts'
import { type Grouping, groupings, makeReport, type ReportQuestion, type WhoIs } from './report.ts'

interface Asked extends ReportQuestion {
  readonly format: Format
}

export async function showUsage(io: CommandIo<MeterConfig>): Promise<number> {
  if (io.options.checkPrices === true) return checkPrices(io)
  const asked = readQuestion(io)
  if (typeof asked === 'string') {
    io.err(`usage: ${asked}\n`)
    return 2
  }
  try {
    const store = await openUsage(io.stores, io.config, 'read')
    try {
      return io.options.reconcile === true ? await reconcileUsage(io, store, asked) : await report(io, store, asked)
    } finally {
      await store.close()
    }
  } catch (error) {
    io.err(`usage: ${(error as Error).message}\n`)
    return 3
  }
}

async function report(io: CommandIo<MeterConfig>, store: UsageStore, asked: Asked): Promise<number> {
  const made = await makeReport(store, whoIsOf(io), asked)
  io.out(writeReport(made, asked, asked.format))
  if (made.rows.length === 0) io.err('usage: nothing was counted in this time\n')
  return 0
}

/** Without the record, or its key, people go by their pseudonyms. */
function whoIsOf(io: CommandIo<MeterConfig>): WhoIs {
  return async subjects => {
    const outcomes = await io.find(Outcomes).catch((error: unknown) => {
      io.err(`usage: callers are shown by their pseudonyms: ${(error as Error).message}\n`)
      return undefined
    })
    return (await outcomes?.whoIs(subjects)) ?? new Map<string, never>()
  }
}

function readQuestion({ args, options, json, clock }: CommandIo<MeterConfig>): Asked | string {
  const [consumer] = args as readonly (string | undefined)[]
  const period = readPeriod(String(options.period), clock.now())
  if (period === undefined) return `--period: ${EXPECTED}`
  const format = formats.find(one => one === (json ? 'json' : options.format))
  if (format === undefined) return `--format: expected one of ${formats.join(', ')}`
  const by: Grouping[] = []
  for (const name of String(options.by ?? (consumer === undefined ? 'consumer' : 'server,tool')).split(',')) {
    const grouping = groupings.find(one => one === name.trim())
    if (grouping === undefined) return `--by: expected some of ${groupings.join(', ')}, with commas; "${name}" is none`
    if (!by.includes(grouping)) by.push(grouping)
  }
  if (options.reconcile === true && (consumer !== undefined || options.by !== undefined || format === 'csv'))
    return '--reconcile goes by day, tenant, server and tool: it takes no consumer, no --by and no csv'
  return { ...period, by, format, consumer, tenant: options.tenant as string | undefined }
}
