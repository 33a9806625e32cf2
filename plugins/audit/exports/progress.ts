// How far an export has come, as it is kept between two runs.
import { hexOf } from '../bytes.ts'
import type { LogReader, StoredRecord } from '../store/log-store.ts'

export interface Progress {
  /** Of the log's reader; undefined: nothing was exported so far. */
  readonly cursor: string | undefined
  readonly last: Place | undefined
  /** ms since 1970: when that was. */
  readonly at: number
  /** In all. */
  readonly records: number
  /** Of these: how many a receiver said it will never take. */
  readonly rejected: number
  /** Undefined: the last attempt went well. `since`: ms since 1970. */
  readonly failing: { readonly since: number; readonly why: string } | undefined
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
  if (state === undefined) return { cursor: undefined, last: undefined, at: 0, records: 0, rejected: 0, failing: undefined }
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

function parse(text: string): Progress | undefined {
  try {
    const { v, cursor, last, at, records, rejected = 0, failing } = JSON.parse(text) as Partial<Progress> & { readonly v: unknown }
    if (at === undefined || records === undefined) return undefined
    const isPlace = typeof last?.stream === 'string' && typeof last.hash === 'string' && Number.isSafeInteger(last.seq)
    // Nothing was exported so far, which failed.
    const isBegun = failing !== undefined && cursor === undefined && last === undefined
    const isWhole =
      v === 1 &&
      ((typeof cursor === 'string' && isPlace) || isBegun) &&
      [at, records, rejected, failing?.since ?? 0].every(Number.isSafeInteger) &&
      typeof (failing?.why ?? '') === 'string'
    return isWhole ? { cursor, last, at, records, rejected, failing } : undefined
  } catch {
    return undefined
  }
}
