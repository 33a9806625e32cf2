// The record of a call: intent before effect, outcome before reply, and every refusal.
import type {
  Answer,
  Awaitable,
  Exchange,
  Hooks,
  JsonObject,
  Outcome,
  Payload,
  PluginContext,
  ResponseVerdict,
  SealedVerdict,
} from 'mcpgw/plugin'
import { deny, pass } from 'mcpgw/plugin'
import type { AuditConfig } from './config.ts'
import type { Ending, Entry } from './entry.ts'
import { member, milliseconds, serialise } from './json-text.ts'
import type { Ledger } from './ledger.ts'
import { createLevels } from './level.ts'
import { errorCode, readStatus, redactions, type Status, statusOf, substitute } from './status.ts'
import type { ArgsLabel, StoredText } from './stored-text.ts'
import { type About, type Describer, nameTarget } from './subject.ts'

/** What is known of a call between its hooks. */
interface Call {
  readonly about: About
  /** When the intent was durable: what comes after is the server's time. */
  sent: number
  /** Of the sent arguments. */
  readonly requestBytes: number
  /** As it was recorded. */
  outcome?: { readonly status: Status; readonly at: number }
  /** Its intent is stored, its end is not. */
  open: boolean
  /** The log took its intent, whatever became of it. */
  readonly offered: boolean
}

export interface CallHooks {
  readonly hooks: Required<Pick<Hooks, 'onSealed' | 'onResponse' | 'onSettled' | 'discharge'>>
  /** Calls whose intent is stored and whose outcome is not. */
  readonly open: () => number
  /** Its intent is stored, or may be: then its end has a record of its own, whatever it is. */
  hasIntent(x: Exchange): boolean
}

const RECORDED: ReadonlySet<string> = new Set(['call', 'read', 'prompt', 'method'])
const LOST = 'the call was made, but its outcome could not be recorded; do not assume that it had no effect'
const NOT_MADE = 'the gateway could not record this request, so it was not made'

/** `isHeard`: somebody wants to know how calls end. */
export function recordCalls(
  ctx: PluginContext<AuditConfig>,
  ledger: Ledger,
  text: StoredText,
  describer: Describer,
  isHeard: () => boolean,
): CallHooks {
  const { clock } = ctx
  const degrade = ctx.config.onAuditFailure === 'degrade'
  const calls = new WeakMap<Exchange, Call>()
  const levels = createLevels(ctx.config.content)
  let open = 0

  /** `personal`: members that are sealed; with none, nothing is. */
  function entry(type: string, x: Exchange, { subject, short }: About, members: string, personal: string): Entry {
    // Of a call that was under way when who made it was erased, nothing more is kept than that it ended.
    const sealed =
      personal === '' || !describer.isCurrent(subject) ? '' : `,"personal":"${subject.seal(`{${personal.slice(1)}}`, `${type} ${x.id}`)}"`
    return { type, call: x.id, at: clock.now(), mono: clock.mono(), members: short + members + sealed, subject }
  }
  const took = (from: number): string => milliseconds(clock.mono() - from)

  /** The record of how the call ended, or of what corrects it. `members`: what only this one says. */
  function ending(
    x: Exchange,
    call: Call,
    how: Pick<Ending, 'outcome' | 'errorCode' | 'resultBytes'>,
    members: string,
    personal: string,
  ): Entry {
    const { outcome, errorCode, resultBytes } = how
    const { sent, requestBytes, about } = call
    const revises = call.outcome && { outcome: call.outcome.status, at: call.outcome.at }
    const other = substitute(x)
    // Where no server was asked, none took any time.
    const [durationMs, upstreamMs] = [took(x.mono), other === undefined || other.isStale ? took(sent) : milliseconds(0)]
    const record = entry(
      revises === undefined ? 'outcome' : 'outcome.withheld',
      x,
      about,
      `,"outcome":"${outcome}"${member('errorCode', errorCode)}${x.instance === undefined ? '' : `,"instance":${x.instance}`},"requestBytes":${requestBytes}${members}${redactions(x)}${other?.members ?? ''},"durationMs":${durationMs},"upstreamMs":${upstreamMs}` +
        (revises === undefined ? '' : `,"revises":${JSON.stringify(revises)}`),
      personal,
    )
    if (!isHeard()) return record
    const { resource, principal, action } = x
    const end: Ending = {
      tenant: principal?.tenant,
      subject: about.subject.id,
      action,
      server: 'server' in resource ? resource.server : undefined,
      version: 'server' in resource ? resource.version : undefined,
      target: nameTarget(resource, text),
      outcome,
      errorCode,
      requestBytes,
      resultBytes,
      durationMs: Number(durationMs),
      upstreamMs: Number(upstreamMs),
      revises,
    }
    return { ...record, end }
  }

  const end = (call: Call): void => {
    if (call.open) open -= 1
    call.open = false
  }

  function onSealed(x: Exchange): Awaitable<SealedVerdict> {
    if (!RECORDED.has(x.resource.kind)) return pass
    const about = describer.describe(x, x.decision)
    const contents = contentsOf(x)
    const call: Call = {
      about,
      sent: 0,
      requestBytes: contents.reduce((sum, { payload }) => sum + payload.bytes.length, 0),
      open: false,
      offered: ledger.isTaking(),
    }
    calls.set(x, call)
    const args = levels.of(x) === 'meta' ? '' : describeContents(contents, text.args)
    const intent = entry('intent', x, about, about.more + describeSizes(x, contents, about), about.personal + args)
    return ledger.append([intent], degrade ? 'keep' : 'offer').then(failed => {
      call.sent = clock.mono()
      if (failed === undefined) {
        call.open = true
        open += 1
      }
      return failed === undefined || degrade ? pass : deny('not-recorded', NOT_MADE, { detail: failed })
    })
  }

  function onResponse(x: Exchange, answer: Answer): Awaitable<ResponseVerdict> {
    const call = calls.get(x)
    if (call === undefined) return pass
    const status = readStatus(answer)
    const { bytes } = answer.payload
    const { about } = call
    const content = levels.of(x) === 'full' ? text.result(answer.payload) : ''
    const result = `,"resultDigest":"${about.subject.digest(bytes)}","resultBytes":${bytes.length}`
    const record = ending(x, call, { outcome: status, errorCode: errorCode(answer), resultBytes: bytes.length }, result, content)
    call.outcome = { status, at: record.at }
    return ledger.append([record], 'keep').then(failed => {
      if (failed === undefined) end(call)
      return failed === undefined || degrade ? pass : deny('not-recorded', LOST, { detail: failed })
    })
  }

  function onSettled(x: Exchange, outcome: Outcome): Awaitable<void> {
    const call = calls.get(x)
    const settled = outcome.kind === 'denied' ? refusal(x, call, outcome) : late(x, call, outcome)
    if (settled === undefined) return undefined
    return ledger.append([settled], 'keep').then(failed => {
      if (failed === undefined && call !== undefined) end(call)
    })
  }

  /** A refused call may hold anything: its arguments are described by what the masker leaves of them. */
  function refusal(x: Exchange, call: Call | undefined, { decision }: Outcome & { kind: 'denied' }): Entry {
    const told = describer.describe(x, decision)
    // As its intent names them: two pseudonyms in one call would say that they are one.
    const about = call === undefined ? told : { ...told, subject: call.about.subject, short: call.about.short }
    const contents = call === undefined && RECORDED.has(x.resource.kind) ? contentsOf(x) : undefined
    const args = contents === undefined || levels.of(x) === 'meta' ? '' : describeContents(contents, text.refusedArgs)
    const detail = refusalDetail(x)
    const why = detail === undefined ? '' : `,"detail":${text.name(detail)}`
    return entry(
      'refusal',
      x,
      about,
      `${about.more}${contents === undefined ? '' : describeSizes(x, contents, about)}${why},"durationMs":${took(x.mono)}`,
      about.personal + args,
    )
  }

  /** What onResponse did not see: the answer never came so far, or was withheld after it was recorded. */
  function late(x: Exchange, call: Call | undefined, outcome: Outcome): Entry | undefined {
    if (call === undefined) return undefined
    const status = statusOf(outcome)
    if (call.outcome !== undefined && (status !== 'withheld' || call.outcome.status === 'withheld')) return undefined
    const code = outcome.kind === 'failed' ? outcome.code : outcome.kind === 'cancelled' ? outcome.by : undefined
    return ending(x, call, { outcome: status, errorCode: code }, '', '')
  }

  return {
    hooks: { onSealed, onResponse, onSettled, discharge: levels.discharge },
    open: () => open,
    hasIntent: x => calls.get(x)?.offered === true,
  }
}

interface Content {
  readonly payload: Payload
  readonly label: ArgsLabel
}

/** A read has its uri among what is always told; a request that is made again has what the client says to the questions of the server. */
function contentsOf(x: Exchange): readonly Content[] {
  if (x.resource.kind === 'method') return [{ payload: x.sent, label: 'args' }]
  const contents: Content[] = []
  if (x.resource.kind !== 'read') contents.push({ payload: x.sentArgs, label: 'args' })
  const inputs = inputsOf(x)
  if (inputs !== undefined) contents.push({ payload: inputs, label: 'inputs' })
  return contents
}

function describeContents(contents: readonly Content[], describe: (payload: Payload, label: ArgsLabel) => string): string {
  return contents.map(({ payload, label }) => describe(payload, label)).join('')
}

function describeSizes(x: Exchange, contents: readonly Content[], { subject }: About): string {
  const sizes = contents.map(({ payload, label }) => `,"${label}Bytes":${payload.bytes.length}`)
  return `,"argsDigest":"${subject.digest(x.params.bytes)}"${sizes.join('')}`
}

function inputsOf({ sent }: Exchange): Payload | undefined {
  if (!Buffer.from(sent.bytes.buffer, sent.bytes.byteOffset, sent.bytes.byteLength).includes('inputResponses')) return undefined
  const value = (sent.value as JsonObject).inputResponses
  if (value === undefined) return undefined
  const text = serialise(value)
  return { value, text, bytes: Buffer.from(text) }
}

/** What the refusing plugin said for log and record only. */
function refusalDetail(x: Exchange): string | undefined {
  for (const [key, value] of x.notes) if (key.endsWith('.detail') && typeof value === 'string') return value
  return undefined
}
