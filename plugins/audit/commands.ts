// The verbs of the log; each is loaded when called.
import type { ConfiguredCommand } from 'mcpgw/plugin'
import type { AuditConfig } from './config.ts'

type Options = NonNullable<ConfiguredCommand<AuditConfig>['options']>
const TIMES: Options = [
  { flags: '--since <when>', summary: 'from this time on: 2026-11-21T10:00Z, or 15m, 2h, 7d ago' },
  { flags: '--until <when>', summary: 'up to this time' },
]
const PERSON: Options = [
  { flags: '--subject <id>', summary: 'whose: the id of a principal, or cli:NAME of an operator' },
  { flags: '--tenant <id>', summary: 'only in this tenant; else in any' },
]
const TENANT: Options = [{ flags: '--tenant <id>', summary: 'only of this tenant; what belongs to no tenant is left out' }]
const FILTERS: Options = [
  ...TENANT,
  { flags: '--consumer <id>', summary: 'only of this caller' },
  { flags: '--server <id>', summary: 'only of this server, or with ID@VERSION of that version' },
  { flags: '--tool <name>', summary: 'only of this tool, prompt or uri' },
  {
    flags: '--status <status>',
    summary: 'answered, input-required, tool-error, upstream-error, timeout, cancelled, crashed, withheld, unknown, refused, open',
  },
  { flags: '--decision <outcome>', summary: 'allow or deny' },
  { flags: '--type <type>', summary: 'only records of this type, such as key.create or log.read' },
  { flags: '--text <words>', summary: 'only with all of these words in the reason, the rules or the error code' },
]

export const commands: readonly ConfiguredCommand<AuditConfig>[] = [
  {
    path: ['audit', 'log'],
    summary: 'Show records, newest last',
    options: [
      { flags: '-n, --limit <n>', summary: 'how many at most', default: '50' },
      { flags: '--after <cursor>', summary: 'oldest first, from there on: `start`, or what the page before said (`next` in JSON)' },
      ...FILTERS,
      ...TIMES,
      { flags: '--intents', summary: 'also the intents, which are else left out' },
      { flags: '--all', summary: 'also the intents, and what the log says of itself: its streams, checkpoints and readers' },
    ],
    examples: ['mcpgw audit log --limit=20', 'mcpgw audit log --consumer agent-1 --status tool-error --since 2h'],
    load: async () => (await import('./commands/log.ts')).showLog,
  },
  {
    path: ['audit', 'stats'],
    summary: 'Count calls by outcome, tool and caller, with latencies',
    options: [...FILTERS, ...TIMES],
    examples: ['mcpgw audit stats', 'mcpgw audit stats --tenant acme --since 7d --json'],
    load: async () => (await import('./commands/stats.ts')).showStats,
  },
  {
    path: ['audit', 'verify'],
    summary: 'Check every record, and what was signed of them',
    args: [{ name: '[file]', summary: 'another log file than the configured one, or an exported one (JSONL)' }],
    options: [
      {
        flags: '--checkpoint <file>',
        summary: 'signed checkpoints that were kept elsewhere: the log must be complete up to the newest of them',
      },
      {
        flags: '--key <key>',
        summary: 'whose signatures count: a verifier as `audit key` prints it, or a file of them; else those beside the log',
      },
      { flags: '--resume <file>', summary: 'keep there how far it is, and go on from there' },
    ],
    examples: ['mcpgw audit verify'],
    load: async () => (await import('./commands/verify.ts')).verifyLog,
  },
  {
    path: ['audit', 'export'],
    summary: 'Write the whole log as lines of JSON, which `audit verify` reads anywhere, or records as CSV',
    options: [
      {
        flags: '--format <format>',
        summary: 'jsonl (where it is not given), or csv: for people and spreadsheets; filters are for it only',
      },
      { flags: '--out <file>', summary: 'a new file, instead of standard output' },
      { flags: '--resume', summary: 'go on with that file: where it was stopped, or with what is new' },
      ...FILTERS,
      ...TIMES,
      { flags: '--contents', summary: 'also arguments and results, as far as they were recorded' },
    ],
    examples: [
      'mcpgw audit export --out audit-export.jsonl',
      'mcpgw audit export --format csv --decision deny --since 30d --out refusals.csv',
    ],
    load: async () => (await import('./commands/export.ts')).exportLog,
  },
  {
    path: ['audit', 'report'],
    summary: 'What an auditor asks of a period, on one page: what there is, whether it is all, and a sample',
    options: [
      { flags: '--period <period>', summary: 'a month (2026-11), days (2026-11-01..2026-11-30) or last-month, in UTC' },
      { flags: '--tenant <id>', summary: 'population and sample of this tenant only' },
      { flags: '--checkpoint <file>', summary: 'signed checkpoints that were kept elsewhere, as for `audit verify`' },
      { flags: '--key <key>', summary: 'whose signatures count: a verifier, or a file of them; else those beside the log' },
      { flags: '--sample <n>', summary: 'how many records to draw', default: '25' },
      { flags: '--seed <seed>', summary: 'of the sample, to draw it again; else the root of the newest checkpoint' },
      { flags: '--format <format>', summary: 'text, json or markdown', default: 'text' },
      { flags: '--out <file>', summary: 'a new file, instead of standard output' },
    ],
    examples: [],
    load: async () => (await import('./commands/report.ts')).reportLog,
  },
  {
    path: ['audit', 'prune'],
    summary: 'Take out old records that were exported; a signed tombstone stays',
    options: [
      { flags: '--older-than <days>', summary: 'of more than this age, such as 400d' },
      { flags: '--before <date>', summary: 'or from before this date' },
      { flags: '--exported <file>', summary: 'what `audit export` wrote, or a folder of it; only what it holds is taken out' },
      { flags: '--dry-run', summary: 'only tell what would go, and what must stay' },
    ],
    examples: ['mcpgw audit prune --older-than 400d --dry-run'],
    load: async () => (await import('./commands/prune.ts')).pruneLog,
  },
  {
    path: ['audit', 'hold', 'add'],
    summary: 'Keep records whatever their age',
    options: [
      { flags: '--tenant <id>', summary: 'of this tenant' },
      { flags: '--consumer <id>', summary: 'of this caller' },
      { flags: '--all', summary: 'of everybody' },
      { flags: '--reason <text>', summary: 'why, such as the number of a case; it is recorded' },
    ],
    examples: ['mcpgw audit hold add --consumer agent-1 --reason "case 17"'],
    load: async () => (await import('./commands/hold.ts')).addHold,
  },
  {
    path: ['audit', 'hold', 'list'],
    summary: 'Show what is held',
    examples: ['mcpgw audit hold list'],
    load: async () => (await import('./commands/hold.ts')).listHolds,
  },
  {
    path: ['audit', 'hold', 'remove'],
    summary: 'Let a hold go',
    args: [{ name: '<id>', summary: 'as `audit hold list` shows it' }],
    examples: [],
    load: async () => (await import('./commands/hold.ts')).removeHold,
  },
  {
    path: ['audit', 'exports'],
    summary: 'Show how far each configured export has come, whether a gateway runs or not; exit 1 where one fails',
    examples: ['mcpgw audit exports', 'mcpgw audit exports --json'],
    load: async () => (await import('./commands/exports.ts')).showExports,
  },
  {
    path: ['privacy', 'export'],
    summary: 'Write all that is stored about somebody',
    options: [
      ...PERSON,
      { flags: '--format <format>', summary: 'json, or csv: the records only', default: 'json' },
      { flags: '--out <file>', summary: 'a new file, instead of standard output' },
    ],
    examples: ['mcpgw privacy export --subject agent-7'],
    load: async () => (await import('./commands/privacy-export.ts')).exportPerson,
  },
  {
    path: ['privacy', 'erase'],
    summary: 'Delete what is stored about somebody; the log still verifies',
    options: [
      ...PERSON,
      { flags: '--reason <text>', summary: 'why, such as the number of the request; it is recorded, so no name' },
      { flags: '--dry-run', summary: 'only tell what would go' },
      { flags: '--yes', summary: 'do it; it cannot be undone' },
    ],
    examples: ['mcpgw privacy erase --subject agent-7 --dry-run'],
    load: async () => (await import('./commands/privacy-erase.ts')).erasePerson,
  },
  {
    path: ['audit', 'drill'],
    summary: 'Tamper with a copy of the log in twelve ways, and show that each is found',
    examples: ['mcpgw audit drill'],
    load: async () => (await import('./commands/drill.ts')).drillLog,
  },
  {
    path: ['audit', 'prove'],
    summary: 'Print a proof that a record stands in the signed log, or check one',
    args: [{ name: '[id]', summary: 'the record, as STREAM:SEQ, or a call, whose last record is taken' }],
    options: [
      ...TENANT,
      { flags: '--check <file>', summary: 'check this proof; nothing else is needed but the key' },
      { flags: '--key <key>', summary: 'whose signatures count: a verifier, or a file of them; else those beside the log' },
    ],
    examples: [],
    load: async () => (await import('./commands/prove.ts')).proveRecord,
  },
  {
    path: ['audit', 'key'],
    summary: 'Print the verifier of the checkpoints, to be kept where the log is not',
    examples: ['mcpgw audit key'],
    load: async () => (await import('./commands/key.ts')).showKey,
  },
]
