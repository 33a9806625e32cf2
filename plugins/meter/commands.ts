// The verb of the meter, loaded when called.
import type { ConfiguredCommand } from 'mcpgw/plugin'
import type { MeterConfig } from './config.ts'

export const commands: readonly ConfiguredCommand<MeterConfig>[] = [
  {
    path: ['usage'],
    summary: 'Show who used what: calls, errors, bytes, cost units and latency',
    args: [{ name: '[consumer]', summary: 'only of this caller' }],
    options: [
      {
        flags: '--by <columns>',
        summary:
          'tenant, consumer, server, version, tool, hour, day, month, outcome: one or several, with commas; default consumer, of one consumer server,tool',
      },
      {
        flags: '--period <period>',
        summary: 'in UTC: a month (2026-11), a day, days (2026-11-01..2026-11-30), today, this-month or last-month',
        default: 'this-month',
      },
      { flags: '--tenant <id>', summary: 'only of this tenant' },
      { flags: '--format <format>', summary: 'table, csv or json', default: 'table' },
      {
        flags: '--reconcile',
        summary: 'compare with the audit log, by day, tenant, server and tool: 0 equal, 1 not, 4 not all of the period is left to compare',
      },
      { flags: '--check-prices', summary: 'ask the servers instead, and name each price that is for nothing they offer' },
    ],
    examples: ['mcpgw usage', 'mcpgw usage --by tenant,tool --period last-month --format csv', 'mcpgw usage --reconcile'],
    load: async () => (await import('./commands/usage.ts')).showUsage,
  },
]
