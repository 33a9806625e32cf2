// A tombstone: says that the beginning of a stream was taken out, and what is needed to verify the rest of it. Signed as a note, by the key of the checkpoints.
import { readFrontier, rootOf } from './checkpoint-row.ts'
import { openNote, type Trusted } from './note.ts'
import type { TombstoneRow } from './store/log-store.ts'
import type { Hash } from './tree.ts'

export interface Tombstone {
  /** Name of the log, as of its checkpoints. */
  readonly origin: string
  /** ms since 1970. */
  readonly at: number
  readonly stream: string
  /** Records `1` to this one were taken out. */
  readonly through: number
  /** Of the tree of what was taken out. */
  readonly root: Hash
  /** Hex: the hash of the last one taken out. */
  readonly link: string
}

/** Never the text of a checkpoint: its second line is a word, that of a checkpoint a number. */
export function writeTombstone({ origin, at, stream, through, root, link }: Tombstone): string {
  const state = `stream ${encodeURIComponent(stream)} ${through} ${Buffer.from(root, 'latin1').toString('base64')}`
  return `${[origin, 'tombstone', `at ${at}`, state, `link ${link}`].join('\n')}\n`
}

/** Undefined where it is none. */
export function readTombstone(text: string): Tombstone | undefined {
  const pattern = /^([^\n]+)\ntombstone\nat (\d{1,16})\nstream (\S+) (\d{1,16}) ([A-Za-z0-9+/]{43}=)\nlink ([0-9a-f]{64})\n$/
  const [, origin, at, name, through, root, link] = pattern.exec(text) ?? []
  if (origin === undefined || name === undefined || root === undefined || link === undefined) return undefined
  try {
    const stream = decodeURIComponent(name)
    return { origin, at: Number(at), stream, through: Number(through), root: Buffer.from(root, 'base64').toString('latin1'), link }
  } catch {
    return undefined
  }
}

/** One that one of `trusted` signed, in the name of its log. Undefined where none did. */
export function openTombstone(note: string, trusted: readonly Trusted[]): Tombstone | undefined {
  for (const one of trusted) {
    const text = openNote(note, one)
    const tombstone = text === undefined ? undefined : readTombstone(text)
    if (tombstone?.origin === one.name) return tombstone
  }
  return undefined
}

/** Where the tree and the chain of a stream begin that lacks its beginning. */
export interface Stump extends Tombstone {
  readonly frontier: readonly Hash[]
}

/** A stored tombstone, held against its note. A string says what does not fit. */
export function readTombstoneRow(row: TombstoneRow, trusted: readonly Trusted[]): Stump | string {
  const tombstone = openTombstone(row.note, trusted)
  if (tombstone === undefined) return 'its note is not signed by a trusted key'
  for (const column of ['stream', 'through', 'at', 'link'] as const)
    if (tombstone[column] !== row[column]) return `column ${column} differs from its note`
  const frontier = readFrontier(row.frontier)
  if (frontier === undefined || rootOf(row.through, frontier) !== tombstone.root) return 'column frontier differs from its note'
  return { ...tombstone, frontier }
}
