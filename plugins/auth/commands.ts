// The verbs of auth on the command line; each is loaded when it is called.
import type { ConfiguredCommand } from 'mcpgw/plugin'
import type { AuthConfig } from './config.ts'
import { tellingFaults } from './key-store-fault.ts'

export const keyCommands: readonly ConfiguredCommand<AuthConfig>[] = [
  {
    path: ['keys', 'create'],
    summary: 'Make an API key and print it, this once',
    args: [
      { name: '<name>', summary: 'what the key is for, one line' },
      { name: '<principal>', summary: 'id of the principal it stands for' },
      { name: '[roles]', summary: 'roles, separated by commas; none where absent' },
    ],
    options: [
      { flags: '--expires <duration>', summary: 'how long it holds: 12h, 90d, 52w; for ever where absent' },
      { flags: '--tenant <tenant>', summary: 'tenant of the principal', default: 'default' },
      { flags: '--claims <json>', summary: 'facts about the principal that policies may ask for, a JSON object' },
      { flags: '--rate <rate>', summary: 'requests it is good for: 100/min, 10/s, 5000/d; held by the plugin ratelimit' },
    ],
    examples: ['mcpgw keys create "My Agent" agent-1 reader,writer', 'mcpgw keys create "CI" ci-bot reader --expires 90d --json'],
    load: tellingFaults(async () => (await import('./commands/create.ts')).createKey),
  },
  {
    path: ['keys', 'list'],
    summary: 'Show all keys, without the keys themselves',
    options: [{ flags: '--tenant <tenant>', summary: 'only those of this tenant' }],
    examples: ['mcpgw keys list', 'mcpgw keys list --tenant acme', 'mcpgw keys list --json'],
    load: tellingFaults(async () => (await import('./commands/list.ts')).listKeys),
  },
  {
    path: ['keys', 'rotate'],
    summary: 'Make a key in place of another, which holds a while longer; print it, this once',
    args: [{ name: '<id>', summary: 'id of the old key as `keys list` shows it' }],
    options: [
      { flags: '--overlap <duration>', summary: 'how long the old key still holds; 0: not at all', default: '24h' },
      { flags: '--expires <duration>', summary: 'how long the new key holds; as long as the old one was to where absent' },
    ],
    examples: ['mcpgw keys rotate "$(mcpgw keys create "My Agent" agent-1)" --overlap 7d'],
    load: tellingFaults(async () => (await import('./commands/rotate.ts')).rotateKey),
  },
  {
    path: ['keys', 'import'],
    summary: 'Take the keys that stand in the config (or in a gateway.yaml: --config FILE) into the key store; clients keep their keys',
    examples: ['mcpgw keys import'],
    load: tellingFaults(async () => (await import('./commands/import.ts')).importKeys),
  },
  {
    path: ['keys', 'revoke'],
    summary: 'End a key; a running gateway refuses it within a second',
    args: [{ name: '<id>', summary: 'its id as `keys list` shows it, or the key itself' }],
    examples: ['mcpgw keys revoke "$(mcpgw keys create "Old Agent" agent-2)"'],
    load: tellingFaults(async () => (await import('./commands/revoke.ts')).revokeKey),
  },
]
