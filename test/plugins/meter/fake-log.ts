// An audit log as the meter sees it: streams of records, told live and read again, without anything that keeps them.
import type { DurableOutcome, OutcomePage, Outcomes } from 'mcpgw/plugin'

export interface FakeLog {
  readonly outcomes: Outcomes
  /** Records become durable in a stream; those that are undefined are no outcomes. In the live stream they are told. */
  append(stream: string, ends: readonly (Partial<DurableOutcome> | undefined)[]): void
  /** From now on a new boot writes; nobody listens so far. */
  restart(stream: string): void
  /** Takes the first records of a stream out. */
  prune(stream: string, through: number): void
  /** Every outcome there ever was. */
  all(): readonly DurableOutcome[]
}

export const NOON: number = Date.UTC(2026, 10, 28, 12)

/** `page`: so many records are read at once. */
export function createFakeLog(page = 3): FakeLog {
  const streams = new Map<string, { readonly seq: number; readonly outcome: DurableOutcome | undefined }[]>()
  const pruned = new Map<string, number>()
  let live = 'boot-0'
  let listeners: ((page: OutcomePage) => void)[] = []
  let calls = 0
  const recordsOf = (stream: string) => {
    const found = streams.get(stream) ?? []
    streams.set(stream, found)
    return found
  }
  const ended = (records: readonly { outcome: DurableOutcome | undefined }[]): DurableOutcome[] =>
    records.flatMap(({ outcome }) => (outcome === undefined ? [] : [outcome]))

  return {
    outcomes: {
      get stream() {
        return live
      },
      listen: listener => void listeners.push(listener),
      async *read({ through }, signal) {
        for (const [stream, records] of streams) {
          const from = Math.max(through.get(stream) ?? 0, pruned.get(stream) ?? 0)
          const left = records.filter(({ seq }) => seq > from)
          for (let i = 0; i < left.length && !signal.aborted; i += page) {
            const part = left.slice(i, i + page)
            yield { pages: [{ stream, first: part[0]!.seq, through: part.at(-1)!.seq, outcomes: ended(part) }], place: `${stream} ${i}` }
          }
        }
      },
      whoIs: async subjects => new Map([...subjects].map(id => [id, { tenant: 'acme', id: id.replace(/^s-/, '') }])),
    },
    append(stream, ends) {
      const records = recordsOf(stream)
      const first = records.length + 1
      const added = ends.map((end, i) => {
        const base = {
          callId: `call-${++calls}`,
          at: NOON,
          tenant: 'acme',
          subject: 's-1',
          action: 'tools/call',
          server: 'crm',
          target: 'find',
        }
        return {
          seq: first + i,
          outcome: end && ({ outcome: 'answered', durationMs: 3, ...base, ...end, seq: first + i } as DurableOutcome),
        }
      })
      records.push(...added)
      if (stream !== live || added.length === 0) return
      for (const listener of listeners) listener({ stream, first, through: records.length, outcomes: ended(added) })
    },
    restart(stream) {
      live = stream
      listeners = []
    },
    prune: (stream, through) => void pruned.set(stream, through),
    all: () => [...streams.values()].flatMap(ended),
  }
}
