// Opens the log for one boot: a new stream that is linked to the last known head, and the calls that earlier boots left open.
import type { PluginContext } from 'mcpgw/plugin'
import { NO_LINK } from './chain.ts'
import type { AuditConfig } from './config.ts'
import type { Digester } from './digest.ts'
import { quote } from './json-text.ts'
import { createLedger, type Entry, type Head, type Ledger } from './ledger.ts'
import { holdLive, isLive } from './liveness.ts'
import { closeStream, openStream, SCHEMA, type StoredRecord, setup, statements } from './table.ts'

export interface OpenLog {
  readonly ledger: Ledger
  /** How many calls of earlier boots were closed as unknown. */
  readonly closed: number
  /** Ends the stream. `clean`: none of its calls is open. Resolves to how many records were never written. */
  close(clean: boolean): Promise<number>
}

interface Past {
  readonly last: StoredRecord | undefined
  readonly dead: readonly string[]
  readonly open: readonly StoredRecord[]
}

/** Throws where the log cannot be opened or its first record cannot be made durable: then the gateway must not start. */
export async function openLog(ctx: PluginContext<AuditConfig>, digester: Digester): Promise<OpenLog> {
  const { config, stores, clock, instance } = ctx
  const stream = `${instance.id}.${instance.boot}`
  const release = holdLive(stores, config.path, stream)
  const writer = await stores
    .writer(config.path, { durability: config.durability, setup, statements, schema: SCHEMA })
    .catch((error: unknown) => {
      release()
      throw error
    })
  const stamp = (): { at: number; mono: number } => ({ at: clock.now(), mono: clock.mono() })
  try {
    const past = readPast(ctx)
    const ledger = createLedger({
      writer,
      clock,
      stream,
      deadline: config.deadline,
      tail: `,"durability":"${config.durability}"${ctx.open ? ',"open":true' : ''}`,
      before: toHex(past.last?.hash ?? NO_LINK),
      readHead: () => readHead(ctx, stream),
      onHealth: failing => report(ctx, failing),
    })
    const first: Entry = { type: 'stream.start', call: '', ...stamp(), members: describeStart(ctx, past, digester) }
    const closings = past.open.map(intent => ({ type: 'outcome', call: intent.call, ...stamp(), members: describeUnknown(intent) }))
    const failed = await ledger.append([first, ...closings], 'offer', [openStream(stream), ...past.dead.map(closeStream)])
    if (failed !== undefined) throw new Error(`${stores.resolve(config.path)}: the first record could not be written: ${failed}`)
    return {
      ledger,
      closed: closings.length,
      async close(clean) {
        const end: Entry = { type: 'stream.stop', call: '', ...stamp(), members: '' }
        const lost = await ledger.append([end], 'offer', clean ? [closeStream(stream)] : [])
        const unwritten = await ledger.close()
        release()
        return unwritten + (lost === undefined ? 0 : 1)
      },
    }
  } catch (error) {
    await writer.close()
    release()
    throw error
  }
}

function report(ctx: PluginContext<AuditConfig>, failing: string | undefined): void {
  if (failing === undefined) {
    ctx.health(steadyHealth(ctx.config))
    ctx.log.info('the audit log is written again')
  } else {
    ctx.health({ status: 'failing', why: failing })
    ctx.log.error('the audit log cannot be written', {
      why: failing,
      calls: ctx.config.onAuditFailure === 'deny' ? 'refused' : 'let through unrecorded',
    })
  }
}

/** The lesser durability is a condition that operators see as long as it lasts. */
export function steadyHealth(config: AuditConfig): { status: 'degraded'; why: string } | undefined {
  if (config.durability === 'full') return undefined
  return { status: 'degraded', why: 'durability is "os": records survive a kill of the gateway, but not of the machine' }
}

function readPast({ stores, config }: PluginContext<AuditConfig>): Past {
  const db = stores.open(config.path, { readOnly: true, schema: SCHEMA })
  try {
    const last = db.prepare('SELECT * FROM record ORDER BY n DESC LIMIT 1').get() as unknown as StoredRecord | undefined
    const rows = db.prepare('SELECT name, start FROM stream WHERE open = 1').all()
    const dead = rows
      .map(({ name, start }) => ({ name: String(name), start: Number(start) }))
      .filter(({ name }) => !isLive(stores, config.path, name))
    const scan = db.prepare('SELECT n, type, call FROM record WHERE n >= ? AND stream = ? ORDER BY n')
    const fetch = db.prepare('SELECT * FROM record WHERE n = ?')
    const open: StoredRecord[] = []
    for (const { name, start } of dead) {
      const calls = new Map<string, number>()
      for (const { n, type, call } of scan.iterate(start, name)) {
        if (type === 'intent') calls.set(String(call), Number(n))
        else if (call !== '') calls.delete(String(call))
      }
      for (const n of calls.values()) open.push(fetch.get(n) as unknown as StoredRecord)
    }
    return { last, dead: dead.map(({ name }) => name), open }
  } finally {
    db.close()
  }
}

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function readHead({ stores, config }: PluginContext<AuditConfig>, stream: string): Head | undefined {
  const db = stores.open(config.path, { readOnly: true, schema: SCHEMA })
  try {
    const row = db.prepare('SELECT seq, hash FROM record WHERE stream = ? ORDER BY n DESC LIMIT 1').get(stream)
    return row === undefined ? undefined : { seq: Number(row.seq), link: toHex(row.hash as Uint8Array) }
  } finally {
    db.close()
  }
}

/** What holds for every record of the stream is said once. `after` is the record that the first link continues. */
function describeStart(ctx: PluginContext<AuditConfig>, { last, dead, open }: Past, digester: Digester): string {
  const after = last === undefined ? null : { stream: last.stream, seq: last.seq, hash: toHex(last.hash) }
  const detail = {
    after,
    closes: dead,
    closedCalls: open.length,
    plugins: ctx.order,
    digestKey: digester.keyId,
    onAuditFailure: ctx.config.onAuditFailure,
  }
  return `,"instance":${quote(ctx.instance.id)},"gatewayVersion":${quote(ctx.instance.version)},"detail":${JSON.stringify(detail)}`
}

const SUBJECT = [
  'parentCallId',
  'direction',
  'tenant',
  'actor',
  'client',
  'source',
  'transport',
  'protocolVersion',
  'action',
  'server',
  'tool',
  'uri',
  'prompt',
  'decision',
]

/** The gateway ended between intent and outcome: whether the call took effect is not known. */
function describeUnknown(intent: StoredRecord): string {
  let subject = ''
  try {
    const body = JSON.parse(intent.body) as Record<string, unknown>
    for (const name of SUBJECT) if (Object.hasOwn(body, name)) subject += `,"${name}":${JSON.stringify(body[name])}`
  } catch {
    // A damaged intent is for the verification to report; its call is closed all the same.
  }
  return `${subject},"outcome":"unknown","errorCode":"gateway-restart","intent":${JSON.stringify({ stream: intent.stream, seq: intent.seq })}`
}
