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
import type { Entry } from './entry.ts'
import { member, milliseconds, serialise } from './json-text.ts'
import type { Ledger } from './ledger.ts'
import { createLevels } from './level.ts'
import type { ArgsLabel, StoredText } from './stored-text.ts'
import type { About, Describer } from './subject.ts'

/** What is known of a call between its hooks. */
interface Call {
  readonly about: About
  /** When the intent was durable: what comes after is the server's time. */
  sent: number
  outcome?: Status
  /** Its intent is stored, its end is not. */
  open: boolean
}

export type Status = 'answered' | 'input-required' | 'tool-error' | 'upstream-error' | 'timeout' | 'cancelled' | 'crashed' | 'withheld'

export interface CallHooks {
  readonly hooks: Required<Pick<Hooks, 'onSealed' | 'onResponse' | 'onSettled' | 'discharge'>>
  /** Calls whose intent is stored and whose outcome is not. */
  readonly open: () => number
}

const RECORDED: ReadonlySet<string> = new Set(['call', 'read', 'prompt', 'method'])
const LOST = 'the call was made, but its outcome could not be recorded; do not assume that it had no effect'
const NOT_MADE = 'the gateway could not record this request, so it was not made'

export function recordCalls(ctx: PluginContext<AuditConfig>, ledger: Ledger, text: StoredText, describer: Describer): CallHooks {
  const { clock } = ctx
  const degrade = ctx.config.onAuditFailure === 'degrade'
  const calls = new WeakMap<Exchange, Call>()
  const levels = createLevels(ctx.config.content)
  let open = 0

  /** `personal`: members that are sealed; with none, nothing is. */
  function entry(type: string, x: Exchange, { subject, short }: About, members: string, personal: string): Entry {
    const sealed = personal === '' ? '' : `,"personal":"${subject.seal(`{${personal.slice(1)}}`, `${type} ${x.id}`)}"`
    return { type, call: x.id, at: clock.now(), mono: clock.mono(), members: short + members + sealed, subject }
  }
  const took = (from: number): string => milliseconds(clock.mono() - from)
  const times = (x: Exchange, sent: number | undefined): string =>
    `,"durationMs":${took(x.mono)}${sent === undefined ? '' : `,"upstreamMs":${took(sent)}`}`

  const end = (call: Call): void => {
    if (call.open) open -= 1
    call.open = false
  }

  function onSealed(x: Exchange): Awaitable<SealedVerdict> {
    if (!RECORDED.has(x.resource.kind)) return pass
    const about = describer.describe(x, x.decision)
    const call: Call = { about, sent: 0, open: false }
    calls.set(x, call)
    const contents = contentsOf(x)
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
    call.outcome = status
    const { bytes } = answer.payload
    const { about } = call
    const content = levels.of(x) === 'full' ? text.result(answer.payload) : ''
    const result = `,"resultDigest":"${about.subject.digest(bytes)}","resultBytes":${bytes.length}`
    const members = `,"outcome":"${status}"${member('errorCode', errorCode(answer))}${result}${redactions(x)}${times(x, call.sent)}`
    return ledger.append([entry('outcome', x, about, members, content)], 'keep').then(failed => {
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
    const about = describer.describe(x, decision)
    const contents = call === undefined && RECORDED.has(x.resource.kind) ? contentsOf(x) : undefined
    const args = contents === undefined || levels.of(x) === 'meta' ? '' : describeContents(contents, text.refusedArgs)
    const detail = refusalDetail(x)
    const why = detail === undefined ? '' : `,"detail":${text.name(detail)}`
    return entry(
      'refusal',
      x,
      about,
      about.more + (contents === undefined ? '' : describeSizes(x, contents, about)) + why + times(x, undefined),
      about.personal + args,
    )
  }

  /** What onResponse did not see: the answer never came so far, or was withheld after it was recorded. */
  function late(x: Exchange, call: Call | undefined, outcome: Outcome): Entry | undefined {
    if (call === undefined) return undefined
    const status = statusOf(outcome)
    if (call.outcome !== undefined && (status !== 'withheld' || call.outcome === 'withheld')) return undefined
    const code = outcome.kind === 'failed' ? outcome.code : outcome.kind === 'cancelled' ? outcome.by : undefined
    const type = call.outcome === undefined ? 'outcome' : 'outcome.withheld'
    return entry(type, x, call.about, `,"outcome":"${status}"${member('errorCode', code)}${redactions(x)}${times(x, call.sent)}`, '')
  }

  return { hooks: { onSealed, onResponse, onSettled, discharge: levels.discharge }, open: () => open }
}

function endOf(isToolError: boolean | undefined, isInputRequired: boolean | undefined): Status {
  if (isInputRequired === true) return 'input-required'
  return isToolError === true ? 'tool-error' : 'answered'
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

function readStatus(answer: Answer): Status {
  if (answer.kind === 'result') return endOf(answer.isToolError, answer.isInputRequired)
  switch (answer.code) {
    case 'upstream-timeout':
      return 'timeout'
    case 'upstream-crashed':
    case 'upstream-unavailable':
      return 'crashed'
    case 'cancelled':
      return 'cancelled'
    case 'withheld':
      return 'withheld'
    default:
      return 'upstream-error'
  }
}

/** The gateway's code where it made the error, else the server's number. */
function errorCode({ kind, code, payload }: Answer): string | undefined {
  if (kind === 'result') return undefined
  if (code !== undefined) return code
  const number = (payload.value as { code?: unknown } | null)?.code
  return typeof number === 'number' ? String(number) : undefined
}

function statusOf(outcome: Outcome): Status {
  if (outcome.kind === 'cancelled') return 'cancelled'
  if (outcome.kind === 'answered') return endOf(outcome.isToolError, outcome.isInputRequired)
  if (outcome.kind === 'failed' && outcome.cause !== 'internal') return outcome.cause
  return 'upstream-error'
}

/** Counts by type, as maskers leave them in notes that end in `.redactions`. */
function redactions(x: Exchange): string {
  if (x.notes.size === 0) return ''
  const counts: Record<string, number> = {}
  for (const [key, value] of x.notes) {
    if (!key.endsWith('.redactions') || typeof value !== 'object' || value === null) continue
    for (const [type, count] of Object.entries(value)) if (typeof count === 'number') counts[type] = (counts[type] ?? 0) + count
  }
  return Object.keys(counts).length === 0 ? '' : `,"redactions":${JSON.stringify(counts)}`
}

/** What the refusing plugin said for log and record only. */
function refusalDetail(x: Exchange): string | undefined {
  for (const [key, value] of x.notes) if (key.endsWith('.detail') && typeof value === 'string') return value
  return undefined
}
