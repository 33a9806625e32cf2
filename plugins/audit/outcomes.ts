// How calls ended, for whoever counts and bills them: told as soon as it is durable, and read again from the log.
import type { DurableOutcome, OutcomePage, Outcomes } from 'mcpgw/plugin'
import { type Body, readBody } from './opened.ts'
import type { LogReader, LogStore, StoredRecord } from './store/log-store.ts'
import { type Keys, openSubject } from './subjects.ts'

export interface OutcomesOptions {
  readonly stream: string
  readonly store: LogStore
  readonly keys: Keys
}

export interface OutcomeTeller {
  readonly service: Outcomes
  readonly isHeard: () => boolean
  readonly tell: (page: OutcomePage) => void
}

export function createOutcomes({ stream, store, keys }: OutcomesOptions): OutcomeTeller {
  const listeners: ((page: OutcomePage) => void)[] = []
  const who = new Map<string, { readonly tenant: string; readonly id: string }>()

  async function withReader<Result>(work: (reader: LogReader) => Promise<Result>): Promise<Result> {
    const reader = await store.reader()
    try {
      return await work(reader)
    } finally {
      await reader.close()
    }
  }

  return {
    isHeard: () => listeners.length > 0,
    tell(page) {
      for (const listener of listeners) listener(page)
    },
    service: {
      stream,
      listen: listener => void listeners.push(listener),
      async *read({ through, place }, signal) {
        const reader = await store.reader()
        const read = new Map(through)
        try {
          for await (const { records, place: next } of reader.beyond(through, place, signal))
            yield { pages: pagesOf(records, read), place: next }
        } finally {
          await reader.close()
        }
      },
      async whoIs(subjects) {
        const wanted = new Set(subjects)
        const rows = await withReader(reader => reader.subjects())
        const found = new Map<string, { readonly tenant: string; readonly id: string }>()
        for (const row of rows) {
          if (!wanted.has(row.id)) continue
          // Who was forgotten has no row any more, so that what is known here is not asked for.
          const known = who.get(row.id) ?? openSubject(keys, row)
          if (known === undefined) continue
          const { tenant, id } = known
          who.set(row.id, { tenant, id })
          found.set(row.id, { tenant, id })
        }
        return found
      },
    },
  }
}

/** The records by stream, without those that `read` knows; it is brought up to date. */
function pagesOf(records: readonly StoredRecord[], read: Map<string, number>): OutcomePage[] {
  const pages = new Map<string, { stream: string; first: number; through: number; outcomes: DurableOutcome[] }>()
  for (const record of records) {
    const { stream, seq } = record
    if (seq <= (read.get(stream) ?? 0)) continue
    read.set(stream, seq)
    let page = pages.get(stream)
    if (page === undefined) {
      page = { stream, first: seq, through: seq, outcomes: [] }
      pages.set(stream, page)
    }
    page.through = seq
    const outcome = toOutcome(record)
    if (outcome !== undefined) page.outcomes.push(outcome)
  }
  return [...pages.values()]
}

type Ended = Omit<Body, 'outcome'> & Partial<DurableOutcome>

/** Undefined for any other record, also for one that cannot be read: that it is damaged, verification says. */
function toOutcome(record: StoredRecord): DurableOutcome | undefined {
  if (record.type !== 'outcome' && record.type !== 'outcome.withheld') return undefined
  const body = readBody(record) as Ended | undefined
  if (body === undefined || typeof body.outcome !== 'string' || typeof body.action !== 'string') return undefined
  const { tenant, subject, action, server, version, outcome, errorCode, requestBytes, resultBytes, durationMs, upstreamMs, revises } = body
  // Older versions did not say what it corrects.
  if (record.type === 'outcome.withheld' && revises === undefined) return undefined
  return {
    seq: record.seq,
    callId: record.call,
    at: record.at,
    tenant,
    subject,
    action,
    server,
    version,
    target: body.tool ?? body.prompt ?? body.uri,
    outcome,
    errorCode,
    requestBytes,
    resultBytes,
    durationMs,
    upstreamMs,
    revises,
  }
}
