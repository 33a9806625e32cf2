// A stored checkpoint of one stream, held against the note it repeats: nothing of a row counts that its signature does not cover.
import { type Checkpoint, readCheckpoint, type StreamState } from './checkpoint.ts'
import { openSigned, type Trusted } from './note.ts'
import type { CheckpointRow } from './store/log-store.ts'
import { createTree, type Hash } from './tree.ts'

export interface SignedState extends StreamState {
  readonly frontier: readonly Hash[]
}

/** A checkpoint that one of `trusted` signed, in the name of its log. Undefined where none did. */
export const openCheckpoint = (note: string, trusted: readonly Trusted[]): Checkpoint | undefined =>
  openSigned(note, trusted, readCheckpoint)

/** `open`: openCheckpoint, for several rows may repeat one note. A string says what does not fit. */
export function readRow(row: CheckpointRow, open: (note: string) => Checkpoint | undefined): SignedState | string {
  const checkpoint = open(row.note)
  if (checkpoint === undefined) return 'its note is not signed by a trusted key'
  const state = checkpoint.streams.find(one => one.stream === row.stream)
  if (state === undefined) return 'its note says nothing of this stream'
  if (state.size !== row.size) return 'column size differs from its note'
  if (checkpoint.at !== row.at) return 'column at differs from its note'
  const frontier = readFrontier(row.frontier)
  const root = frontier === undefined ? undefined : rootOf(row.size, frontier)
  return frontier === undefined || root !== state.root ? 'column frontier differs from its note' : { ...state, frontier }
}

export const writeFrontier = (frontier: readonly Hash[]): string => Buffer.from(frontier.join(''), 'latin1').toString('hex')

/** Undefined where it is not made of whole hashes. */
export function readFrontier(hex: string): readonly Hash[] | undefined {
  if (!/^([0-9a-f]{64})*$/.test(hex)) return undefined
  const bytes = Buffer.from(hex, 'hex').toString('latin1')
  return Array.from({ length: bytes.length / 32 }, (_, i) => bytes.slice(32 * i, 32 * i + 32))
}

/** Undefined where a tree of that size has another number of subtrees. */
export function rootOf(size: number, frontier: readonly Hash[]): Hash | undefined {
  try {
    return createTree(size, frontier).root()
  } catch {
    return undefined
  }
}
