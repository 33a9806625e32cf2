// Puts the plugin together: opens the log before anything else may be recorded, and closes it after everything else has ended.
import type { AdminEvent, Hooks, JsonValue, PluginContext } from 'mcpgw/plugin'
import { Masking, Recording } from 'mcpgw/plugin'
import { openLog, steadyHealth } from './boot.ts'
import { recordCalls } from './calls.ts'
import type { AuditConfig } from './config.ts'
import { loadDigester } from './digest.ts'
import { serialise } from './json-text.ts'
import type { Entry } from './ledger.ts'
import { createStoredText } from './stored-text.ts'

// Types of which the log itself is the author.
const RESERVED = /^(intent|outcome|refusal|stream|audit|clock)(\.|$)/

export async function setUp(ctx: PluginContext<AuditConfig>): Promise<Hooks> {
  const { config, clock, log } = ctx
  const digester = loadDigester(`${ctx.stores.resolve(config.path)}.key`)
  const opened = await openLog(ctx, digester)
  const { ledger } = opened
  let found: Masking | undefined
  // Its provider may be set up later.
  const masking = (): Masking | undefined => {
    found ??= ctx.find(Masking)
    return found
  }
  const text = createStoredText(masking, value => ctx.scrub(value), config.maxRecordBytes)
  const { hooks, open } = recordCalls(ctx, ledger, text, digester)
  let started = false

  const event = async ({ type, actor, detail }: AdminEvent): Promise<void> => {
    if (RESERVED.test(type)) throw new TypeError(`"${type}" is a record type of the log itself`)
    const failed = await ledger.append([describeEvent(type, actor, detail)], 'offer')
    if (failed !== undefined) throw new Error(`not recorded: ${failed}`)
  }

  function describeEvent(type: string, actor: string | undefined, detail: AdminEvent['detail']): Entry {
    const who = actor === undefined ? '' : `,"actor":{"id":${text.name(actor)}}`
    const members = `${who},"detail":${storableDetail(detail)}`
    return { type, call: '', at: clock.now(), mono: clock.mono(), members }
  }

  /** Masked and scrubbed as any other content; text that is no JSON any more is kept as a string. */
  function storableDetail(detail: JsonValue): string {
    const plain = serialise(detail)
    const masked = masking()?.text(plain) ?? plain
    const shown = ctx.scrub(masked)
    if (shown === plain) return plain
    try {
      JSON.parse(shown)
      return shown
    } catch {
      return serialise(shown)
    }
  }

  ctx.provide(Recording, { event })
  ctx.health(steadyHealth(config))
  if (opened.closed > 0) log.warn('calls of an earlier run have no outcome; recorded as unknown', { calls: opened.closed })
  if (config.durability === 'os') log.warn('audit durability is "os": the last records may be lost if the machine fails')
  if (config.onAuditFailure === 'degrade')
    log.warn('calls go through unrecorded while the audit log cannot be written (onAuditFailure: degrade)')

  ctx.onStop(async () => {
    if (started) await ledger.append([describeEvent('gateway.stop', undefined, {})], 'offer')
    const unwritten = await opened.close(open() === 0)
    if (unwritten > 0) log.error('records could not be written before the stop', { records: unwritten })
  })

  return {
    ...hooks,
    async start() {
      await event({ type: 'gateway.start', detail: { plugins: [...ctx.order], open: ctx.open } })
      started = true
    },
  }
}
