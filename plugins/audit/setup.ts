// Puts the plugin together: opens the log before anything else may be recorded, and closes it after everything else has ended.
import {
  type AdminEvent,
  createConditions,
  type Hooks,
  type JsonValue,
  Masking,
  Outcomes,
  type PluginContext,
  Recording,
  type Stores,
  type TellCondition,
} from 'mcpgw/plugin'
import { createAnchors } from './anchors.ts'
import { openLog } from './boot.ts'
import { recordCalls } from './calls.ts'
import { createCheckpointer, type Signing } from './checkpointer.ts'
import type { AuditConfig } from './config.ts'
import type { Entry } from './entry.ts'
import { createExports } from './exports/exports.ts'
import { watchRetired } from './forgetting.ts'
import { quote, serialise } from './json-text.ts'
import { loadMasterKey } from './master-key.ts'
import { aboutContext } from './opened.ts'
import { auditOperations } from './operations.ts'
import { createOutcomes } from './outcomes.ts'
import { findClash } from './own-files.ts'
import { recordRefusals } from './refusals.ts'
import { createRetention } from './retention.ts'
import { loadSigningKey, publishVerifier, readSigningKey, readVerifiers } from './signing-key.ts'
import { masterKeyPath, openStore, signingPaths } from './store/open.ts'
import { createStoredText } from './stored-text.ts'
import { type About, createDescriber } from './subject.ts'
import { createSubjects, deriveKeys, momentOf, openSubject } from './subjects.ts'

// Types of which the log itself is the author.
const RESERVED = /^(intent|outcome|refusal|stream|audit|clock)(\.|$)/

// How long a stop waits for the last checkpoint to be anchored, and for the last records to be exported.
const LAST_MS = 3000

export async function setUp(ctx: PluginContext<AuditConfig>): Promise<Hooks> {
  const { config, clock, log, instance } = ctx
  const clash = findClash(config, ctx.stores)
  if (clash !== undefined) throw new Error(clash)
  const keys = deriveKeys(loadMasterKey(masterKeyPath(ctx.stores, config)))
  const paths = signingPaths(ctx.stores, config)
  // One that cannot be used is told of before anything is written.
  readSigningKey(paths.key)
  const store = openStore(ctx.stores, config)
  const tell = createConditions(condition => ctx.health(condition))
  const degraded = (side: string) => (why: string | undefined) => tell(side, why)
  const anchors = createAnchors(config.anchors, {
    clock,
    log,
    metrics: ctx.metrics,
    maxLag: config.anchorLag,
    host: instance.id,
    resolve: path => ctx.stores.resolve(path),
    onHealth: degraded('anchors'),
  })
  const stream = `${instance.id}.${instance.boot}`
  const checkpointer = createCheckpointer({
    stream,
    store,
    clock,
    signing: () => openSigning(ctx.stores, paths),
    every: { records: config.checkpoints.records, ms: config.checkpoints.every },
    onNote: anchors.offer,
    onHealth: degraded('checkpoints'),
  })
  const outcomes = createOutcomes({ stream, store, keys })
  const begun = momentOf(clock)
  const opened = await openLog({
    store,
    clock,
    stream,
    deadline: config.deadline,
    tail: `,"durability":"${config.durability}"${ctx.open ? ',"open":true' : ''}`,
    start: `,"instance":${quote(instance.id)},"gatewayVersion":${quote(instance.version)}`,
    detail: { plugins: ctx.order, onAuditFailure: config.onAuditFailure },
    onDurable: checkpointer.grow,
    onOutcomes: outcomes.tell,
    onHealth: failing => report(ctx, failing, tell),
    beforeClose: checkpointer.finish,
  }).catch(async (error: unknown) => {
    await store.close()
    throw error
  })
  const { ledger } = opened
  let found: Masking | undefined
  // Its provider may be set up later.
  const masking = (): Masking | undefined => {
    found ??= ctx.find(Masking)
    return found
  }
  const text = createStoredText(masking, value => ctx.scrub(value), config.maxRecordBytes)
  const subjects = createSubjects(keys, opened.subjects, clock, begun)
  const unwatch = watchRetired(store, subjects, clock)
  const describer = createDescriber(subjects, text)
  const { hooks, open, hasIntent } = recordCalls(ctx, ledger, text, describer, outcomes.isHeard)
  const refusals = recordRefusals({ ledger, clock, text, entry: describeStranger, settled: hooks.onSettled, hasIntent })
  const exports = createExports({ ctx, store, keys, onHealth: degraded('exports'), record: told => event(told) })
  const retention = createRetention({ ctx, record: told => event(told), onHealth: degraded('retention') })
  const operations = auditOperations(ctx, told => event(told))
  for (const operation of operations.list) ctx.offer(operation)
  let started = false

  const event = async (told: AdminEvent): Promise<void> => {
    if (RESERVED.test(told.type)) throw new TypeError(`"${told.type}" is a record type of the log itself`)
    const failed = await ledger.append([describeEvent(told)], 'offer')
    if (failed !== undefined) throw new Error(`not recorded: ${failed}`)
  }

  function describeEvent({ type, actor, success = true, detail, about }: AdminEvent): Entry {
    const person = about && describer.person(about)
    const secret = person?.seal(storableDetail(about!.detail), aboutContext(type))
    const told =
      `,"success":${success},"detail":${storableDetail(detail)}` +
      (person === undefined ? '' : `,"about":{"subject":"${person.id}","sealed":"${secret}"}`)
    const entry = actor === undefined ? { ...stamp(type), members: `,"actor":{"id":"system"}${told}` } : byActor(type, told, actor)
    return person === undefined ? entry : { ...entry, about: person }
  }

  function byActor(type: string, told: string, actor: NonNullable<AdminEvent['actor']>): Entry {
    const { short, ...who } = describer.operator(actor)
    return sealed(type, short + told, who)
  }

  function describeStranger(type: string, members: string, ip: string | undefined): Entry {
    return sealed(type, members, describer.stranger(ip))
  }

  function sealed(type: string, members: string, { subject, personal }: Pick<About, 'subject' | 'personal'>): Entry {
    const secret = subject.seal(`{${personal.slice(1)}}`, type)
    return { ...stamp(type), members: `,"subject":"${subject.id}"${members},"personal":"${secret}"`, subject }
  }

  function stamp(type: string): Pick<Entry, 'type' | 'call' | 'at' | 'mono'> {
    return { type, call: '', at: clock.now(), mono: clock.mono() }
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
  ctx.provide(Outcomes, outcomes.service)
  tell('durability', steadyHealth(config))
  if (opened.closed > 0) log.warn('calls of an earlier run have no outcome; recorded as unknown', { calls: opened.closed })
  if (opened.subjects.length > 0 && !opened.subjects.some(row => openSubject(keys, row) !== undefined))
    log.warn('the names in the log were sealed with another key than the one beside it; restore that one to read them', {
      file: masterKeyPath(ctx.stores, config),
    })
  if (config.durability === 'os') log.warn('audit durability is "os": the last records may be lost if the machine fails')
  if (config.onAuditFailure === 'degrade')
    log.warn('calls go through unrecorded while the audit log cannot be written (onAuditFailure: degrade)')

  ctx.onStop(async () => {
    await Promise.all([retention.close(), operations.close()])
    const uncounted = await refusals.flush()
    await ledger.heal()
    if (started) await ledger.append([describeEvent({ type: 'gateway.stop', actor: instance.operator, detail: {} })], 'offer')
    const unwritten = await opened.close(open() === 0)
    await Promise.all([exports.close(LAST_MS), anchors.close(LAST_MS)])
    await unwatch()
    await store.close()
    if (unwritten + uncounted > 0) log.error('records could not be written before the stop', { records: unwritten, refusals: uncounted })
  })

  return {
    ...hooks,
    ...refusals.hooks,
    async start() {
      await event({ type: 'gateway.start', actor: instance.operator, detail: { plugins: [...ctx.order], open: ctx.open } })
      started = true
      await checkpointer.start(ledger)
      exports.start()
      retention.start()
    },
  }
}

function openSigning(stores: Stores, { key, verifier }: ReturnType<typeof signingPaths>): Signing {
  const signer = loadSigningKey(stores, key)
  publishVerifier(verifier, signer)
  const trusted = readVerifiers(verifier)
  if (typeof trusted === 'string') throw new Error(trusted)
  return { signer, trusted }
}

function report(ctx: PluginContext<AuditConfig>, failing: string | undefined, tell: TellCondition): void {
  if (failing === undefined) {
    tell('log', undefined)
    ctx.log.info('the audit log is written again')
  } else {
    tell('log', failing, 'failing')
    ctx.log.error('the audit log cannot be written', {
      why: failing,
      calls: ctx.config.onAuditFailure === 'deny' ? 'refused' : 'let through unrecorded',
    })
  }
}

/** The lesser durability is a condition that operators see as long as it lasts. */
function steadyHealth({ durability }: AuditConfig): string | undefined {
  return durability === 'full' ? undefined : 'durability is "os": records survive a kill of the gateway, but not of the machine'
}
