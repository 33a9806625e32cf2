// A hand-made gateway around the plugin: context, exchanges and commands, as far as the contract promises them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type {
  Answer,
  Clock,
  CommandIo,
  Decision,
  Exchange,
  Hooks,
  JsonValue,
  Masking,
  Outcomes,
  Payload,
  PluginContext,
  Principal,
  Recording,
  RecordReader,
  Resource,
  SqlRow,
  Stores,
} from 'mcpgw/plugin'
import { afterAll } from 'vitest'
import { runApart } from '../../../core/apart/run.ts'
import { createStores } from '../../../core/store/index.ts'
import { commands } from '../../../plugins/audit/commands.ts'
import { type AuditConfig, config as schema } from '../../../plugins/audit/config.ts'
import { readMasterKey } from '../../../plugins/audit/master-key.ts'
import { createOpener } from '../../../plugins/audit/opened.ts'
import { setUp } from '../../../plugins/audit/setup.ts'
import type { StoredRecord, SubjectRow } from '../../../plugins/audit/store/log-store.ts'
import { deriveKeys, openSubject } from '../../../plugins/audit/subjects.ts'

export const payload = (value: JsonValue | undefined, text: string = JSON.stringify(value)): Payload => ({
  text,
  bytes: new Uint8Array(Buffer.from(text)),
  value: value as JsonValue,
})
/** With what the gateway tells of it. */
export const result = (value: JsonValue): Answer => ({
  kind: 'result',
  payload: payload(value),
  isToolError: (value as { isError?: unknown }).isError === true,
})
export const allow: Decision = { outcome: 'allow', by: ['policy/read-only'], obligations: [] }
export const refused: Decision = { outcome: 'deny', by: ['policy/no-secrets'], obligations: [], code: 'denied', reason: 'not for you' }
export const agent: Principal = { id: 'agent-1', roles: ['reader'], tenant: 'acme', claims: {}, via: { method: 'api-key', keyId: 'k1' } }

// At the end of the file, last made first: gateways stop before their folders go.
const endings: (() => unknown)[] = []
afterAll(async () => {
  for (const end of endings.reverse()) await end()
})

let boots = 0
let calls = 0

export function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'mcpgw-audit-'))
  endings.push(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

export async function parseConfig(value: unknown): Promise<AuditConfig> {
  const checked = await schema['~standard'].validate(value)
  if (checked.issues !== undefined) throw new Error(checked.issues.map(issue => issue.message).join('; '))
  return checked.value
}

export const realClock: Clock = {
  now: () => Date.now(),
  mono: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

export interface Gateway {
  readonly dir: string
  readonly hooks: Hooks
  readonly recording: Recording
  readonly outcomes: Outcomes
  readonly health: { status: string; why: string } | undefined
  readonly logged: string[]
  /** The values of counters and gauges, under their name and labels: `export_lag_records siem`. */
  readonly metrics: ReadonlyMap<string, number>
  /** Resolves when health is next told to be this. */
  healthIs(status: string | undefined): Promise<void>
  stop(): Promise<void>
}

export interface GatewayOptions {
  readonly dir?: string
  readonly config?: Record<string, unknown>
  readonly stores?: Stores
  /** Of a PostgreSQL database to keep the log in. */
  readonly url?: string | undefined
  readonly clock?: Clock
  readonly masking?: Masking
  readonly scrub?: (text: string) => string
  readonly open?: boolean
  /** Other plugins that read the record. */
  readonly readers?: () => readonly RecordReader[] | Promise<readonly RecordReader[]>
  /** False: it is there to record only, as for a command. */
  readonly starts?: boolean
}

export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const dir = options.dir ?? tempDir()
  const releases: (() => unknown)[] = []
  const services = new Map<symbol, unknown>()
  if (options.masking !== undefined) services.set(Symbol.for('mcpgw.service.masking'), options.masking)
  const logged: string[] = []
  const note = (message: string, fields?: object): void => void logged.push(`${message} ${JSON.stringify(fields ?? {})}`)
  let health: Gateway['health']
  let waiting: { status: string | undefined; resolve: () => void }[] = []
  const boot = `b${++boots}`
  const metrics = new Map<string, number>()
  const metricOf = (name: string) => {
    const nameIt = (labels: Readonly<Record<string, string>>): string => [name, ...Object.values(labels)].join(' ')
    return {
      inc: (labels = {}, by = 1) => void metrics.set(nameIt(labels), (metrics.get(nameIt(labels)) ?? 0) + by),
      set: (value: number, labels = {}) => void metrics.set(nameIt(labels), value),
      observe() {},
    }
  }
  const ctx: PluginContext<AuditConfig> = {
    config: await parseConfig({ durability: 'os', ...options.config }),
    log: { debug: note, info: note, warn: note, error: note },
    clock: options.clock ?? realClock,
    metrics: { counter: metricOf, gauge: metricOf, histogram: metricOf },
    stores: options.stores ?? createStores({ dataDir: dir, url: options.url }),
    instance: { id: 'gw', boot, version: '0.1.0' },
    order: ['audit', 'redact'],
    open: options.open ?? false,
    dischargers: ['redact'],
    provide: (service, value) => void services.set(service.id, value),
    use: () => {
      throw new Error('not declared')
    },
    find: service => services.get(service.id) as never,
    scrub: options.scrub ?? (text => text),
    health(state) {
      health = state
      waiting = waiting.filter(one => {
        if (one.status !== state?.status) return true
        one.resolve()
        return false
      })
    },
    outgoing: { request: () => Promise.reject(new Error('no way out in this test')) },
    publish() {},
    offer() {},
    expel: () => ({ sessions: 0, requests: 0 }),
    readers: async () => options.readers?.() ?? [],
    apart: job => runApart({ stores: ctx.stores, clock: ctx.clock, log: ctx.log }, job),
    onStop: release => void releases.unshift(release),
  }
  const hooks = await setUp(ctx)
  if (options.starts !== false) await hooks.start?.()
  let stopped = false
  const stop = async (): Promise<void> => {
    if (stopped) return
    stopped = true
    for (const release of releases) await release()
  }
  endings.push(stop)
  return {
    dir,
    hooks,
    logged,
    metrics,
    stop,
    recording: services.get(Symbol.for('mcpgw.service.recording')) as Recording,
    outcomes: services.get(Symbol.for('mcpgw.service.outcomes')) as Outcomes,
    get health() {
      return health
    },
    healthIs(status) {
      if (health?.status === status) return Promise.resolve()
      return new Promise(resolve => waiting.push({ status, resolve }))
    },
  }
}

/** Records what a command does as its own process would: in a stream of its own. */
export function recordIn(options: GatewayOptions): CommandIo['record'] {
  return async event => {
    const recorder = await startGateway({ ...options, starts: false })
    await recorder.recording.event({ actor: { id: 'cli:tester' }, ...event })
    await recorder.stop()
    return true
  }
}

export interface ExchangeOptions {
  readonly client?: Exchange['client']
  readonly action?: string
  readonly resource?: Resource
  readonly args?: Payload
  readonly sent?: Payload
  readonly sentArgs?: Payload
  readonly decision?: Decision
  readonly principal?: Principal | null
  readonly notes?: Record<string, unknown>
  readonly trace?: Exchange['trace']
}

export function createExchange(options: ExchangeOptions = {}): Exchange {
  calls += 1
  const args = options.args ?? payload({ path: '/tmp' })
  const sentArgs = options.sentArgs ?? args
  const principal = options.principal === undefined ? agent : options.principal
  const notes = new Map(Object.entries(options.notes ?? {}))
  return {
    id: `call-${calls}`,
    direction: 'to-server',
    action: options.action ?? 'tools/call',
    resource: options.resource ?? { kind: 'call', server: 'files', tool: 'read', definition: payload({ name: 'read' }) },
    peer: { transport: 'http', ip: '127.0.0.1', header: () => [] },
    client: options.client ?? { name: 'inspector', version: '1' },
    protocolVersion: '2025-11-25',
    ...(principal === null ? {} : { principal }),
    state: 'sealed',
    params: payload(undefined, `{"name":"read","arguments":${args.text}}`),
    sent: options.sent ?? payload({ messages: [] }),
    args,
    sentArgs,
    decision: options.decision ?? allow,
    open: false,
    at: Date.now(),
    mono: performance.now(),
    signal: new AbortController().signal,
    ...(options.trace && { trace: options.trace }),
    notes,
    note: (key, value) => void notes.set(key, value),
  }
}

/** One call through all hooks, as the pipeline drives them; `effect` is the call to the server. */
export async function call(
  gateway: Gateway,
  x: Exchange,
  answer: Answer = result({ content: [] }),
  effect: () => void = () => {},
): Promise<'ok' | 'refused' | 'withheld'> {
  const { hooks } = gateway
  const admitted = await hooks.onSealed!(x)
  if (admitted.kind === 'deny') {
    await hooks.onSettled!(x, {
      kind: 'denied',
      decision: { outcome: 'deny', by: ['audit'], obligations: [], code: admitted.code, reason: admitted.reason },
    })
    return 'refused'
  }
  effect()
  const shown = await hooks.onResponse!(x, answer)
  if (shown.kind === 'deny') {
    await hooks.onSettled!(x, { kind: 'failed', cause: 'withheld', code: 'not-recorded' })
    return 'withheld'
  }
  await hooks.onSettled!(x, { kind: 'answered', answer, isToolError: false })
  return 'ok'
}

export interface Row extends SqlRow {
  readonly n: number
  readonly type: string
  readonly call: string
  readonly body: string
}

/** Records as stored, but for those of checkpoints: when one is made is no part of most stories. */
export function readRows(dir: string, path = 'audit.db'): Row[] {
  const db = createStores({ dataDir: dir }).open(path, { readOnly: true })
  const rows = db.prepare("SELECT * FROM record WHERE type <> 'audit.checkpoint' ORDER BY n").all() as Row[]
  db.close()
  return rows
}
// biome-ignore lint/suspicious/noExplicitAny: tests look into records freely
export type Fields = Record<string, any>
/** The text that is sealed in a record. */
export function readSealed(dir: string, { body, type, call }: Row): string {
  const { subject, personal } = JSON.parse(body) as { subject: string; personal: string }
  const db = createStores({ dataDir: dir }).open('audit.db', { readOnly: true })
  const row = db.prepare('SELECT * FROM subject WHERE id = ?').get(subject) as unknown as SubjectRow
  db.close()
  return openSubject(deriveKeys(readMasterKey(join(dir, 'audit.db.key'))), row)!.open(personal, `${type} ${call}`)!
}

/** With what was sealed in its place. */
export function readBodies(dir: string, path = 'audit.db'): Fields[] {
  const db = createStores({ dataDir: dir }).open(path, { readOnly: true })
  const subjects = db.prepare('SELECT * FROM subject').all() as unknown as SubjectRow[]
  db.close()
  const open = createOpener(deriveKeys(readMasterKey(join(dir, `${path}.key`))), subjects)
  return readRows(dir, path).map(row => open({ ...(row as unknown as StoredRecord), body: Buffer.from(row.body) }) as Fields)
}

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a verb, e.g. `audit verify`. */
export async function runCommand(
  dir: string,
  verb: string,
  options: Record<string, string | boolean> = {},
  more: {
    args?: string[]
    now?: number
    url?: string | undefined
    signal?: AbortSignal
    record?: CommandIo['record']
    readers?: GatewayOptions['readers']
    personal?: Awaited<ReturnType<CommandIo['personal']>>
    config?: Record<string, unknown>
  } = {},
): Promise<Ran> {
  const command = commands.find(one => one.path.join(' ') === verb)!
  const defaults = Object.fromEntries(
    (command.options ?? []).flatMap(o => (o.default === undefined ? [] : [[/--([a-z]+)/.exec(o.flags)![1]!, o.default]])),
  )
  let out = ''
  let err = ''
  const silent = (): void => {}
  const io: CommandIo<AuditConfig> = {
    args: more.args ?? [],
    options: { ...defaults, ...options },
    json: options.json === true,
    config: await parseConfig(more.config ?? {}),
    stores: createStores({ dataDir: dir, url: more.url }),
    clock: { ...realClock, now: () => more.now ?? Date.now() },
    log: { debug: silent, info: silent, warn: silent, error: silent },
    signal: more.signal ?? new AbortController().signal,
    out(text) {
      out += text
    },
    err(text) {
      err += text
    },
    cwd: dir,
    interactive: false,
    color: false,
    operator: { id: 'cli:tester' },
    record: more.record ?? (async () => true),
    find: async () => undefined,
    personal: async () => more.personal ?? [],
    readers: async () => more.readers?.() ?? [],
    inspect: async () => ({ failed: 'there are no servers here' }),
  }
  const code = await (await command.load())(io)
  return { code, out, err }
}
