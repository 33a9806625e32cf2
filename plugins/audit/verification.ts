// Checks a log record by record: every column against the body, every body against the chain.
import { leafOfBody, linkRecord, NO_LINK } from './chain.ts'
import type { StoredRecord } from './store/log-store.ts'

/** The first thing that is wrong. `what` says what differs. */
export interface Finding {
  readonly n: number | undefined
  readonly stream: string
  readonly seq: number
  readonly what: string
}

export interface Verifier {
  /** Takes the records in the order of `n`. */
  check(record: StoredRecord): Promise<Finding | undefined>
  readonly records: number
  readonly streams: number
  /** Intents without an end; normal for calls in flight. */
  readonly open: number
  /** Ends of calls that have no intent: written while the log was failing, with `onAuditFailure: degrade`. */
  readonly unannounced: number
}

interface Tip {
  seq: number
  link: Uint8Array
}

/** `lookUp` gives the stored hash of an earlier record, where a stream continues one that was not the last. */
export function createVerifier(lookUp: (stream: string, seq: number) => Promise<Uint8Array | undefined>): Verifier {
  const tips = new Map<string, Tip>()
  const open = new Set<string>()
  let records = 0
  let unannounced = 0

  async function findFault(record: StoredRecord): Promise<string | undefined> {
    const { n, stream, seq, prev, hash, body } = record
    if (n !== undefined && n !== records)
      return n > records ? `record ${records} is missing: the numbering jumps to ${n}` : `number ${n} is out of order`
    if (!(body instanceof Uint8Array) || !(prev instanceof Uint8Array) || !(hash instanceof Uint8Array))
      return 'a column has another type than was written'
    const parsed = parse(body)
    if (parsed === undefined) return 'column body is not a JSON object'
    if (parsed.v !== 1 && parsed.v !== 2) return `version ${JSON.stringify(parsed.v)} of the body is unknown`
    for (const [column, value] of [
      ['stream', parsed.stream],
      ['seq', parsed.seq],
      ['at', parsed.at],
      ['type', parsed.type],
      ['call', parsed.callId ?? ''],
    ] as const) {
      if (record[column] !== value) return `column ${column} differs from the body`
    }
    const tip = tips.get(stream)
    const expected = tip === undefined ? 1 : tip.seq + 1
    if (seq !== expected)
      return seq > expected ? `records ${expected} to ${seq - 1} of the stream are missing` : `position ${seq} occurs again`
    const before = tip === undefined ? await findBefore(parsed) : tip.link
    if (typeof before === 'string') return before
    if (!equal(prev, before)) return 'column prev is not the hash of the record before'
    if (!equal(hash, linkRecord(before, leafOfBody(body)))) return 'column hash does not fit: body or hash were changed'
    return undefined
  }

  /** Where a new stream continues: its first record names a record that is stored before it. */
  async function findBefore({ type, detail }: Readonly<Record<string, unknown>>): Promise<Uint8Array | string> {
    if (type !== 'stream.start') return 'the stream does not begin with stream.start'
    const after = (detail as { after?: { stream?: unknown; seq?: unknown; hash?: unknown } | null } | undefined)?.after
    if (after === null) return records === 1 ? NO_LINK : 'the stream continues nothing, but records stand before it'
    if (typeof after?.stream !== 'string' || typeof after.seq !== 'number' || typeof after.hash !== 'string')
      return 'stream.start does not say what it continues'
    const tip = tips.get(after.stream)
    if (tip === undefined || tip.seq < after.seq) return `record ${after.stream}:${after.seq}, which this stream continues, is missing`
    const link = tip.seq === after.seq ? tip.link : await lookUp(after.stream, after.seq)
    if (link === undefined || Buffer.from(link).toString('hex') !== after.hash)
      return `record ${after.stream}:${after.seq}, which this stream continues, was changed`
    return link
  }

  function follow({ stream, seq, type, call, hash }: StoredRecord): void {
    const tip = tips.get(stream)
    if (tip === undefined) tips.set(stream, { seq, link: hash })
    else {
      tip.seq = seq
      tip.link = hash
    }
    if (call === '') return
    if (type === 'intent') open.add(call)
    else if (!open.delete(call) && type === 'outcome') unannounced += 1
  }

  return {
    async check(record) {
      records += 1
      const what = await findFault(record)
      if (what !== undefined) return { n: record.n ?? records, stream: String(record.stream), seq: Number(record.seq), what }
      follow(record)
      return undefined
    },
    get records() {
      return records
    },
    get streams() {
      return tips.size
    },
    get open() {
      return open.size
    },
    get unannounced() {
      return unannounced
    },
  }
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

function parse(body: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
