// The verbs that the plugin brings; each implementation is loaded when it is called.
import type { Command } from 'mcpgw/plugin'
import type { StripeConfig } from './config.ts'

export const commands: readonly Command<StripeConfig>[] = [
  {
    path: ['stripe', 'status'],
    summary: 'Show how billing stands: what waits, what is billed, what needs attention',
    examples: ['mcpgw stripe status'],
    load: async () => (await import('./commands/status.ts')).showStatus,
  },
  {
    path: ['stripe', 'outbox'],
    summary: 'List lines of the outbox: one for each tenant, meter and window',
    options: [
      { flags: '--state <state>', summary: 'only those that stand so; else all that are not done with' },
      { flags: '-n, --limit <n>', summary: 'at most so many, oldest first', default: '50' },
    ],
    examples: ['mcpgw stripe outbox --state expired'],
    load: async () => (await import('./commands/outbox.ts')).listOutbox,
  },
  {
    path: ['stripe', 'reconcile'],
    summary: 'Compare usage, the own ledger and the sums of Stripe; 1 where they differ',
    options: [
      { flags: '--period <period>', summary: 'a day or month in UTC, such as 2026-11' },
      { flags: '--offline', summary: 'do not ask Stripe' },
    ],
    examples: ['mcpgw stripe reconcile --period 2026-11 --offline'],
    load: async () => (await import('./commands/reconcile.ts')).reconcile,
  },
  {
    path: ['stripe', 'resolve'],
    summary: 'Say what became of a line that the plugin cannot decide',
    args: [{ name: '<id>', summary: 'as `stripe outbox` shows it' }],
    options: [
      { flags: '--billed', summary: 'it is billed: by Stripe, or on an invoice of your own' },
      { flags: '--not-billed', summary: 'it is not billed: it will be sent, where Stripe still takes it' },
    ],
    examples: [],
    load: async () => (await import('./commands/resolve.ts')).resolveLine,
  },
]
