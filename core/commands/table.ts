// The core's own verbs: one entry a verb; the implementation is imported when the verb is called.
import { mcpJson, serverVerbs } from './server-verbs.ts'
import type { Verb } from './verb.ts'

const plugin = { flags: '-p, --plugin <name>', summary: 'plugins to load, in this order, in place of those of the config', repeat: true }
const ofUsers = [
  { flags: '--server <id>', summary: 'of this server alone' },
  { flags: '--tenant <tenant>', summary: 'of principals of this tenant alone' },
]

export const coreVerbs: readonly Verb[] = [
  {
    path: ['run'],
    alias: 'serve',
    summary: 'Run the gateway: over HTTP on the address of the config, or with --stdio for one client',
    options: [
      { flags: '--stdio', summary: 'serve one client on stdin and stdout; HTTP only with --http' },
      { flags: '--http <host:port>', summary: 'listen here, in place of `listen` of the config' },
      plugin,
      mcpJson,
      { flags: '--observe', summary: 'policies are decided and reported, but nothing is denied by them' },
      {
        flags: '--insecure-allow-anonymous',
        summary: 'listen beyond loopback though no plugin authenticates, or none decides: whoever gets there may call',
      },
      { flags: '--log <level>', summary: 'debug, info, warn, error or silent' },
    ],
    examples: [
      'mcpgw run',
      'mcpgw run --plugin audit --plugin redact --mcp-json claude_desktop_config.json',
      'mcpgw run --stdio --config mcpgw.yaml',
    ],
    endsBySignal: true,
    load: async () => (await import('./run.ts')).run,
  },
  {
    path: ['demo'],
    summary: 'Show in a few seconds what a gateway does: five calls, their record, and a record that somebody changes',
    examples: ['mcpgw demo', 'mcpgw demo --json'],
    load: async () => (await import('./demo.ts')).demo,
  },
  {
    path: ['init'],
    summary: 'Write a first mcpgw.yaml and main.policy into this folder; nothing is overwritten',
    examples: ['mcpgw init'],
    load: async () => (await import('./init.ts')).init,
  },
  {
    path: ['import'],
    summary: "Take the servers of clients' files into the config: a plan first, secrets apart, policies observed at first",
    args: [{ name: '[file]', summary: 'one file, in place of those of Claude Desktop, Claude Code, Cursor and VS Code' }],
    options: [
      { flags: '--yes', summary: 'write what the plan says, without asking' },
      { flags: '--dry-run', summary: 'only show the plan' },
    ],
    examples: ['mcpgw import claude_desktop_config.json --dry-run', 'mcpgw import claude_desktop_config.json --yes'],
    load: async () => (await import('./import.ts')).importServers,
  },
  {
    path: ['connect'],
    summary: 'Point a client at the gateway: the difference is shown, and what was there is kept',
    args: [{ name: '<client>', summary: 'claude is Claude Desktop', choices: ['claude', 'claude-code', 'cursor', 'vscode'] }],
    options: [
      { flags: '--print', summary: 'only show the difference' },
      { flags: '--undo', summary: 'put back what was there' },
      { flags: '--only', summary: 'take its other servers out: it reaches them through the gateway' },
      { flags: '--stdio', summary: 'have the client start a gateway of its own; Claude Desktop always does' },
      { flags: '--url <url>', summary: 'the endpoint, in place of that of the config' },
      { flags: '--key <key>', summary: 'an API key that there is, in place of a new one' },
    ],
    examples: [
      'mcpgw connect claude',
      'mcpgw connect claude --undo',
      'mcpgw connect cursor --print --url http://127.0.0.1:3100/mcp',
      'mcpgw connect vscode --stdio --only',
    ],
    load: async () => (await import('./connect.ts')).connect,
  },
  {
    path: ['doctor'],
    summary: 'Check Node, storage, config, plugins, servers, TLS, port, clock and disk, and say what to do',
    options: [plugin, mcpJson],
    examples: ['mcpgw doctor', 'mcpgw doctor --json'],
    load: async () => (await import('./doctor.ts')).doctor,
  },
  ...serverVerbs,
  {
    path: ['tools', 'list'],
    summary: 'Every tool under the name that clients see',
    options: [plugin, mcpJson],
    examples: ['mcpgw tools list', 'mcpgw tools list --json'],
    load: async () => (await import('./tools.ts')).listTools,
  },
  {
    path: ['tools', 'call'],
    summary: 'Call a tool through all plugins, as the principal of stdio',
    args: [
      { name: '<name>', summary: 'as `tools list` shows it' },
      { name: '[arguments]', summary: 'a JSON object' },
    ],
    options: [plugin, mcpJson],
    examples: ['mcpgw tools call notes__search_notes \'{"query":"demo"}\''],
    load: async () => (await import('./tools.ts')).callTool,
  },
  {
    path: ['config', 'show'],
    summary: 'The config in force; secrets are never shown',
    options: [{ flags: '--origin', summary: 'where each value comes from' }, plugin, mcpJson],
    examples: ['mcpgw config show', 'mcpgw config show --origin'],
    load: async () => (await import('./config-show.ts')).showConfig,
  },
  {
    path: ['config', 'schema'],
    summary: 'JSON Schema of mcpgw.yaml, for editors',
    examples: ['mcpgw config schema'],
    load: async () => (await import('./config-schema.ts')).showSchema,
  },
  {
    path: ['plugins', 'list'],
    summary: 'Plugins that can be loaded, and which the config loads',
    options: [plugin],
    examples: ['mcpgw plugins list'],
    load: async () => (await import('./plugins.ts')).listPlugins,
  },
  {
    path: ['plugins', 'order'],
    summary: 'The order in which plugins see a call, and whether it holds',
    options: [plugin],
    examples: ['mcpgw plugins order', 'mcpgw plugins order --plugin audit --plugin redact'],
    load: async () => (await import('./plugins.ts')).showOrder,
  },
  {
    path: ['credentials', 'list'],
    summary: 'Whose tokens the gateway has for which server (auth.user), since when, until when and for what; no token is shown',
    args: [{ name: '[principal]', summary: 'only what this principal has given' }],
    options: ofUsers,
    examples: ['mcpgw credentials list', 'mcpgw credentials list ann --server crm --json'],
    load: async () => (await import('./credentials.ts')).listCredentials,
  },
  {
    path: ['credentials', 'revoke'],
    summary: 'Drop what users have given, here and at the issuer; gateways that run stop using it within a second',
    args: [{ name: '[principal]', summary: 'what this principal has given' }],
    options: ofUsers,
    examples: [
      'mcpgw credentials revoke ann',
      'mcpgw credentials revoke ann --server crm --tenant acme',
      'mcpgw credentials revoke --server crm',
    ],
    load: async () => (await import('./credentials.ts')).revokeCredentials,
  },
  {
    path: ['kill'],
    summary: 'Stop a tenant, a server or an API key on every gateway within a second, until it is lifted',
    options: [
      { flags: '--tenant <tenant>', summary: 'every principal of this tenant; with --list, only this one' },
      { flags: '--server <id>', summary: 'a server of the config: no call goes there, and its processes end' },
      { flags: '--version <version>', summary: 'of --server this version alone: its callers get the others' },
      { flags: '--key <id>', summary: 'an API key, by its id; `keys revoke` ends one for good' },
      { flags: '--because <text>', summary: 'why, for the list and the record; callers are not told' },
      { flags: '--lift', summary: 'let it run again' },
      { flags: '--list', summary: 'what is killed, since when, by whom and why' },
    ],
    examples: [
      'mcpgw kill --list',
      'mcpgw kill --tenant acme --because "a key has leaked"',
      'mcpgw kill --server crm',
      'mcpgw kill --server crm --version 2.0.0',
      'mcpgw kill --lift --tenant acme',
    ],
    load: async () => (await import('./kill.ts')).kill,
  },
  {
    path: ['migrate'],
    summary: 'Make or renew what the gateway and its plugins keep in PostgreSQL, as the role that owns it',
    args: [{ name: '[plugins...]', summary: 'only these of the config' }],
    options: [
      { flags: '--dry-run', summary: 'only tell what would be done' },
      { flags: '--sql', summary: 'print the SQL that an empty database needs, and connect to none' },
    ],
    examples: ['mcpgw migrate --sql', 'mcpgw migrate audit --sql'],
    load: async () => (await import('./migrate.ts')).migrate,
  },
  {
    path: ['explain'],
    summary: 'What a code means and what to do about it',
    args: [{ name: '<code>', summary: 'e.g. unauthenticated, unknown-key' }],
    examples: ['mcpgw explain unauthenticated'],
    load: async () => (await import('./explain.ts')).explain,
  },
  {
    path: ['completion'],
    summary: 'Print a script with which a shell completes commands, options and what they take',
    args: [{ name: '<shell>', summary: 'eval "$(mcpgw completion bash)" in ~/.bashrc', choices: ['bash', 'zsh', 'fish'] }],
    examples: ['mcpgw completion bash', 'mcpgw completion fish'],
    load: async () => (await import('./completion.ts')).completion,
  },
]

/** First words of the verbs that built-in plugins bring, so that a call loads no other plugin. */
export const verbOwners: Readonly<Record<string, string>> = {
  audit: 'audit',
  keys: 'auth',
  policy: 'policy',
  catalog: 'policy',
  usage: 'meter',
}
