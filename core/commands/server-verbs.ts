// The verbs of servers: one entry a verb, as in `table.ts`.
import type { Verb, VerbOption } from './verb.ts'

export const mcpJson: VerbOption = {
  flags: '--mcp-json <file>',
  summary: "servers from a client's mcpServers JSON, in place of those of the config",
}

const entryOptions: readonly VerbOption[] = [
  { flags: '--url <url>', summary: 'where it is: Streamable HTTP' },
  { flags: '--header <header>', summary: '"NAME: VALUE", sent with every request; a secret as ${secret:NAME}', repeat: true },
  { flags: '--description <text>', summary: 'what it is for' },
  { flags: '--owner <owner>', summary: 'who answers for it' },
  { flags: '--tag <tag>', summary: 'by which it is found', repeat: true },
  { flags: '--tenant <tenant>', summary: 'only principals of these tenants know of it', repeat: true },
  { flags: '--from <file>', summary: 'YAML or JSON of one server as it would stand under `servers`' },
]

export const serverVerbs: readonly Verb[] = [
  {
    path: ['servers', 'list'],
    summary: 'The servers of the config and those that were registered: whose they are, their tags, who registered them and when',
    options: [{ flags: '--tag <tag>', summary: 'only those that have this tag' }, mcpJson],
    examples: ['mcpgw servers list', 'mcpgw servers list --tag crm --json'],
    load: async () => (await import('./servers.ts')).listServers,
  },
  {
    path: ['servers', 'add'],
    summary:
      'Register a server beside those of the config, for every gateway of the store; `registration` of the config says what it may have',
    args: [{ name: '<id>', summary: 'under which clients see its tools' }],
    options: entryOptions,
    examples: [
      "mcpgw servers add crm --url https://crm.tools.example/mcp --header 'Authorization: Bearer ${secret:crm-token}'",
      'mcpgw servers add search --url https://search.example/mcp --tenant acme --tag search --owner team-search',
      'mcpgw servers add weather --from weather.yaml',
    ],
    load: async () => (await import('./servers-change.ts')).addServer,
  },
  {
    path: ['servers', 'update'],
    summary: 'Change what is given of a registered server; with --from, all of it',
    args: [{ name: '<id>', summary: 'as `servers list` shows it' }],
    options: entryOptions,
    examples: ['mcpgw servers update search --tag search --tag production', 'mcpgw servers update weather --from weather.yaml'],
    load: async () => (await import('./servers-change.ts')).updateServer,
  },
  {
    path: ['servers', 'remove'],
    summary: 'Take a registered server away from every gateway of the store; calls that are under way there are answered',
    args: [{ name: '<id>', summary: 'as `servers list` shows it' }],
    examples: ['mcpgw servers remove search', 'mcpgw servers remove crm --json'],
    load: async () => (await import('./servers-change.ts')).removeServer,
  },
  {
    path: ['servers', 'restart'],
    summary: 'Begin anew with one server, in every gateway of the store: its processes or connections, and its circuit breaker',
    args: [{ name: '<id>', summary: 'as `servers list` shows it' }],
    examples: ['mcpgw servers restart weather'],
    load: async () => (await import('./servers-restart.ts')).restartServer,
  },
  {
    path: ['servers', 'status'],
    summary: 'How the servers are: asked of the running gateway, or tried one by one where none runs',
    options: [
      { flags: '--http <host:port>', summary: 'where the gateway listens, if not on `listen` of the config' },
      { flags: '--client-cert <file>', summary: 'PEM: the certificate to show where the gateway asks clients for one' },
      { flags: '--client-key <file>', summary: 'PEM: its private key' },
      mcpJson,
    ],
    examples: ['mcpgw servers status'],
    load: async () => (await import('./servers.ts')).showStatus,
  },
]
