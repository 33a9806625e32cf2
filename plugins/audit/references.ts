// How streams hang together: the first record of each refers to the ends of others, which must be there and be what it says.
export interface Reference {
  readonly stream: string
  /** Absent in version 1, which gave names only. */
  readonly seq?: number | undefined
  /** Hex. */
  readonly hash?: string | undefined
}
export interface References {
  /** The record that the first link continues; null: there was none. */
  readonly after: Reference | null
  readonly closes: readonly Reference[]
}

/** Of the body of a `stream.start`. Undefined where it does not say what it should. */
export function readReferences(detail: unknown): References | undefined {
  const { after, closes } = (detail ?? {}) as { after?: unknown; closes?: unknown }
  const first = after === null ? null : readReference(after)
  if (first === undefined || (first !== null && first.hash === undefined)) return undefined
  const others = Array.isArray(closes) ? closes.map(one => (typeof one === 'string' ? { stream: one } : readReference(one))) : []
  return others.includes(undefined) ? undefined : { after: first, closes: others as Reference[] }
}

function readReference(value: unknown): Reference | undefined {
  const { stream, seq, hash } = (value ?? {}) as { stream?: unknown; seq?: unknown; hash?: unknown }
  return typeof stream === 'string' && typeof seq === 'number' && typeof hash === 'string' ? { stream, seq, hash } : undefined
}

/** The record that refers. */
export interface Referrer {
  readonly n: number | undefined
  readonly stream: string
  readonly seq: number
}
interface Awaited extends Reference {
  readonly by: Referrer
}

/** References to records that were not met so far. */
export interface AwaitedReferences {
  wait(reference: Reference, by: Referrer): void
  /** A record is met: false where somebody referred to another one in its place. */
  meet(stream: string, seq: number, hash: Uint8Array): boolean
  /** What nobody has met. */
  first(): (Awaited & { readonly what: string }) | undefined
  list(): readonly Awaited[]
}

export function createAwaited(known: readonly Awaited[] = []): AwaitedReferences {
  const byStream = new Map<string, Awaited[]>()
  const put = (one: Awaited): void => void byStream.set(one.stream, [...(byStream.get(one.stream) ?? []), one])
  for (const one of known) put(one)
  return {
    wait: (reference, by) => put({ ...reference, by }),
    meet(stream, seq, hash) {
      const waiting = byStream.get(stream)
      if (waiting === undefined) return true
      const met = waiting.filter(one => one.seq === undefined || one.seq === seq)
      if (met.length === 0) return true
      const left = waiting.filter(one => !met.includes(one))
      if (left.length === 0) byStream.delete(stream)
      else byStream.set(stream, left)
      const hex = Buffer.from(hash).toString('hex')
      return met.every(one => one.hash === undefined || one.hash === hex)
    },
    first() {
      const [one] = [...byStream.values()].flat()
      const what = one?.seq === undefined ? `stream ${one?.stream} is missing` : `record ${one.stream}:${one.seq} is missing`
      return one && { ...one, what: `${what}, to which this stream refers` }
    },
    list: () => [...byStream.values()].flat(),
  }
}
