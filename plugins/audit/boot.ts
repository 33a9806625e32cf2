// Opens the log for one boot: a new stream that is linked to the last known head, and the calls that earlier boots left open.
import type { Clock } from 'mcpgw/plugin'
import { NO_LINK } from './chain.ts'
import type { Entry } from './entry.ts'
import { createLedger, type Ledger, type LedgerOptions } from './ledger.ts'
import { closeStream, endStream, type LogReader, type LogStore, openStream, type StoredRecord, type SubjectRow } from './store/log-store.ts'

export interface LogOptions extends Pick<LedgerOptions, 'onDurable' | 'onOutcomes' | 'onHealth' | 'deadline'> {
  readonly store: LogStore
  readonly clock: Clock
  readonly stream: string
  /** Members that every record ends with, with a leading comma. */
  readonly tail: string
  /** Members of the first record: what holds for all of the stream is said once. */
  readonly start: string
  /** For `detail` of the first record. */
  readonly detail: Readonly<Record<string, unknown>>
  /** Its last record is durable; what is done now is still its own doing. */
  beforeClose(): Promise<void>
}

export interface OpenLog {
  readonly ledger: Ledger
  /** Of earlier boots. */
  readonly subjects: readonly SubjectRow[]
  /** How many calls of earlier boots were closed as unknown. */
  readonly closed: number
  /** Ends the stream. `clean`: none of its calls is open. Resolves to how many records were never written. */
  close(clean: boolean): Promise<number>
}

interface Reference {
  readonly stream: string
  readonly seq: number
  /** Hex. */
  readonly hash: string
}
interface Past {
  readonly last: StoredRecord | undefined
  /** Ends of streams that nobody writes any more, and that no stream refers to so far. */
  readonly heads: readonly Reference[]
  readonly open: readonly StoredRecord[]
  readonly subjects: readonly SubjectRow[]
}

/** Rejects where the log cannot be opened or its first record cannot be made durable: then the gateway must not start. */
export async function openLog(options: LogOptions): Promise<OpenLog> {
  // Where another gateway began the same log meanwhile, it is continued.
  return (await beginStream(options, true)) ?? (await beginStream(options, false))!
}

/** Undefined where `mayBeLate` and the log was empty when it was read: somebody else may have begun it. */
async function beginStream(options: LogOptions, mayBeLate: boolean): Promise<OpenLog | undefined> {
  const { store, clock, stream } = options
  let isOpen = false
  const writer = await store.writer(stream)
  const stamp = (): { at: number; mono: number } => ({ at: clock.now(), mono: clock.mono() })
  try {
    const past = await read(store, readPast)
    const ledger = createLedger({
      ...options,
      writer,
      onHealth: failing => {
        if (isOpen) options.onHealth(failing)
      },
      before: toHex(past.last?.hash ?? NO_LINK),
      readHead: () => read(store, reader => reader.head(stream)),
    })
    const first: Entry = { type: 'stream.start', call: '', ...stamp(), members: describeStart(options, past) }
    const closings = past.open.map(intent => ({ type: 'outcome', call: intent.call, ...stamp(), members: describeUnknown(intent) }))
    const failed = await ledger.append([first, ...closings], 'offer', [
      openStream(stream),
      ...past.heads.map(one => closeStream(one.stream)),
    ])
    if (failed !== undefined) {
      await ledger.close()
      if (mayBeLate && past.last === undefined) return undefined
      throw new Error(`${store.name}: the first record could not be written: ${failed}`)
    }
    isOpen = true
    return {
      ledger,
      subjects: past.subjects,
      closed: closings.length,
      async close(clean) {
        await ledger.heal()
        const end: Entry = { type: 'stream.stop', call: '', ...stamp(), members: '' }
        const lost = await ledger.append([end], 'offer', clean ? [endStream(stream)] : [])
        await options.beforeClose()
        const unwritten = await ledger.close()
        return unwritten + (lost === undefined ? 0 : 1)
      },
    }
  } catch (error) {
    await writer.close()
    throw error
  }
}

async function read<Result>(store: LogStore, work: (reader: LogReader) => Promise<Result>): Promise<Result> {
  const reader = await store.reader()
  try {
    return await work(reader)
  } finally {
    await reader.close()
  }
}

async function readPast(reader: LogReader): Promise<Past> {
  const open: StoredRecord[] = []
  const heads: Reference[] = []
  for (const { name, isLive, isEnded } of await reader.openStreams()) {
    if (isLive) continue
    if (!isEnded) open.push(...(await reader.openCalls(name)))
    const head = await reader.head(name)
    if (head !== undefined) heads.push({ stream: name, seq: head.seq, hash: head.link })
  }
  // What is about to be deleted is nobody's any more.
  const retired = new Set(await reader.retired())
  const subjects = (await reader.subjects()).filter(({ id }) => !retired.has(id))
  return { last: await reader.last(), heads, open, subjects }
}

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** `after` is the record that the first link continues; `closes` are ends of streams, so that by this record they are vouched for, too. */
function describeStart({ start, detail }: LogOptions, { last, heads, open }: Past): string {
  const after: Reference | null = last === undefined ? null : { stream: last.stream, seq: last.seq, hash: toHex(last.hash) }
  return `${start},"detail":${JSON.stringify({ after, closes: heads, closedCalls: open.length, ...detail })}`
}

/** What every record of a call says. */
const ABOUT = ['tenant', 'subject', 'action', 'server', 'version', 'tool', 'uri', 'prompt', 'traceId', 'parentSpanId']

/** The gateway ended between intent and outcome: whether the call took effect is not known. */
function describeUnknown(intent: StoredRecord): string {
  let about = ''
  try {
    const body = JSON.parse(Buffer.from(intent.body).toString()) as Record<string, unknown>
    for (const name of ABOUT) if (Object.hasOwn(body, name)) about += `,"${name}":${JSON.stringify(body[name])}`
  } catch {
    // A damaged intent is for the verification to report; its call is closed all the same.
  }
  return `${about},"outcome":"unknown","errorCode":"gateway-restart","intent":${JSON.stringify({ stream: intent.stream, seq: intent.seq })}`
}
