// The verbs `policy ...` and `catalog ...`; each is loaded when called.
import type { Command } from 'mcpgw/plugin'
import type { PolicyConfig } from './config.ts'

export const commands: readonly Command<PolicyConfig>[] = [
  {
    path: ['policy', 'check'],
    standalone: true,
    summary: 'Check policy files: 0 where nothing is wrong, 1 where something is',
    args: [
      { name: '[paths...]', summary: 'policy files, folders of them, or - for stdin; by default those of the config, else this folder' },
    ],
    options: [
      { flags: '--lock <file>', summary: 'the catalog lock; by default mcpgw.lock.json beside the files, or here' },
      { flags: '--live', summary: 'ask the servers of the config what they offer now, in place of the lock' },
      { flags: '--format <format>', summary: 'pretty, json, sarif, github or junit' },
      { flags: '--fail-level <severity>', summary: 'the least that counts as wrong: error, warning or hint', default: 'warning' },
    ],
    examples: ['mcpgw policy check main.policy', 'mcpgw policy check main.policy --format sarif'],
    load: async () => (await import('./commands/check.ts')).check,
  },
  {
    path: ['policy', 'fmt'],
    standalone: true,
    summary: 'Bring policy files into their one form',
    args: [
      { name: '[paths...]', summary: 'policy files, folders of them, or - for stdin; by default those of the config, else this folder' },
    ],
    options: [{ flags: '--check', summary: 'change nothing; 1 where a file would change' }],
    examples: ['mcpgw policy fmt main.policy', 'mcpgw policy fmt --check main.policy'],
    load: async () => (await import('./commands/fmt.ts')).format,
  },
  {
    path: ['policy', 'test'],
    standalone: true,
    summary: 'Run the tests that stand in policy files; 1 where one fails',
    args: [
      { name: '[paths...]', summary: 'policy files, folders of them, or - for stdin; by default those of the config, else this folder' },
    ],
    options: [
      { flags: '--lock <file>', summary: 'the catalog lock; by default mcpgw.lock.json beside the files, or here' },
      { flags: '--min-coverage <percent>', summary: '1 where tests cover less of the rules, or of their conditions' },
      { flags: '--format <format>', summary: 'pretty or json' },
    ],
    examples: ['mcpgw policy test main.policy', 'mcpgw policy test main.policy --min-coverage 100'],
    load: async () => (await import('./commands/test.ts')).test,
  },
  {
    path: ['policy', 'eval'],
    standalone: true,
    summary: 'Decide one call, or each line of a file: one line of JSON for each',
    args: [
      { name: '[paths...]', summary: 'policy files, folders of them, or - for stdin; by default those of the config, else this folder' },
    ],
    options: [
      { flags: '--lock <file>', summary: 'the catalog lock; by default mcpgw.lock.json beside the files, or here' },
      { flags: '--call <json>', summary: 'a call, e.g. {"principal":{"id":"a","roles":["support"]},"call":"crm/get_customer"}' },
      { flags: '--calls <file>', summary: 'one call a line; - for stdin' },
      { flags: '--fail', summary: '1 where any is not allowed' },
    ],
    examples: ['mcpgw policy eval main.policy --call \'{"principal":{"id":"a1","roles":["support"]},"call":"crm/get_customer"}\''],
    load: async () => (await import('./commands/eval.ts')).evaluate,
  },
  {
    path: ['policy', 'explain'],
    standalone: true,
    summary: 'Show every rule about a call, and which part of it holds; no value of the call is shown',
    args: [
      { name: '[paths...]', summary: 'policy files, folders of them, or - for stdin; by default those of the config, else this folder' },
    ],
    options: [
      { flags: '--lock <file>', summary: 'the catalog lock; by default mcpgw.lock.json beside the files, or here' },
      { flags: '--call <call>', summary: 'server/tool, "read server/uri", "prompt server/name", or a call as JSON' },
      { flags: '--as <roles>', summary: 'roles of the caller, with commas' },
      { flags: '--id <id>', summary: 'id of the caller' },
      { flags: '--args <json>', summary: 'arguments of the call' },
    ],
    examples: ['mcpgw policy explain main.policy --as support --call crm/get_customer'],
    load: async () => (await import('./commands/explain.ts')).explain,
  },
  {
    path: ['policy', 'import'],
    standalone: true,
    summary: 'Print the YAML policies of a gateway.yaml as a policy file that decides alike',
    args: [{ name: '<file>', summary: 'the gateway.yaml, or - for stdin' }],
    options: [{ flags: '-o, --out <file>', summary: 'write it here; nothing is overwritten' }],
    examples: ['mcpgw policy import gateway.yaml'],
    load: async () => (await import('./commands/import.ts')).importFile,
  },
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
