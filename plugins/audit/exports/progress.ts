// How far an export has come, as it is kept between two runs.
import type { LogReader, StoredRecord } from '../store/log-store.ts'

export interface Progress {
  /** Of the log's reader; undefined: nothing was exported so far. */
  readonly cursor: string | undefined
  readonly last: Place | undefined
  /** ms since 1970: when that was. */
  readonly at: number
  /** In all. */
  readonly records: number
}

/** The last record that is behind the cursor. `hash`: hex. */
export interface Place {
  readonly n: number | undefined
  readonly stream: string
  readonly seq: number
  readonly hash: string
}

export const placeOf = ({ n, stream, seq, hash }: StoredRecord): Place => ({ n, stream, seq, hash: hexOf(hash) })

export function writeProgress(progress: Progress): string {
  return `${JSON.stringify({ v: 1, ...progress })}\n`
}

/** Throws where it is something else: whether to begin anew is not for the export to choose. */
export function readProgress(state: string | undefined): Progress {
  if (state === undefined) return { cursor: undefined, last: undefined, at: 0, records: 0 }
  const progress = parse(state)
  if (progress === undefined) throw new Error('what is kept of the export does not say how far it has come')
  return progress
}

/** Rejects where the log is another one than was exported, in which the cursor would leave out what it never saw. */
export async function checkProgress({ last }: Progress, reader: LogReader): Promise<void> {
  if (last === undefined) return
  const found = await reader.find(last.stream, last.seq, last.n)
  // Taken out since by `audit prune`, unless the log is not even as long.
  const isThere = found !== undefined || ((await reader.last())?.n ?? Number.POSITIVE_INFINITY) >= (last.n ?? 0)
  if (isThere && (found === undefined || hexOf(found.hash) === last.hash)) return
  throw new Error(
    `record ${last.stream}:${last.seq}, which was exported last, is not in this log; remove what is kept of the export to begin anew`,
  )
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function parse(text: string): Progress | undefined {
  try {
    const { v, cursor, last, at, records } = JSON.parse(text) as Progress & { readonly v: unknown }
    const isWhole =
      v === 1 &&
      typeof cursor === 'string' &&
      typeof last?.stream === 'string' &&
      typeof last.hash === 'string' &&
      [last.seq, at, records].every(Number.isSafeInteger)
    return isWhole ? { cursor, last, at, records } : undefined
  } catch {
    return undefined
  }
}
