// The verbs `policy ...` and `catalog ...`; each is loaded when called.
import type { Command } from 'mcpgw/plugin'
import type { PolicyConfig } from './config.ts'

export const commands: readonly Command<PolicyConfig>[] = [
  {
    path: ['catalog', 'lock'],
    summary: 'Ask every server what it offers, and write it down in mcpgw.lock.json',
    options: [
      { flags: '--lock <file>', summary: 'the lock, in place of that of the config' },
      { flags: '--server <id>', summary: 'ask this server alone; the others stay as they are in the lock' },
    ],
    examples: ['mcpgw catalog lock'],
    load: async () => (await import('./commands/catalog-lock.ts')).lockCatalog,
  },
  {
    path: ['catalog', 'diff'],
    summary: 'Show what the servers offer otherwise than the lock says; 1 where they differ',
    options: [
      { flags: '--lock <file>', summary: 'the lock, in place of that of the config' },
      { flags: '--server <id>', summary: 'ask this server alone' },
    ],
    examples: ['mcpgw catalog diff', 'mcpgw catalog diff --json'],
    load: async () => (await import('./commands/catalog-diff.ts')).diffCatalog,
  },
]
