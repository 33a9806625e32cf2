// A tombstone: says that the beginning of a stream was taken out, and what is needed to verify the rest of it. Signed as a note, by the key of the checkpoints.
import { rootOf, writeFrontier } from './checkpoint-row.ts'
import { openSigned, type Trusted } from './note.ts'
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
  /** Of the tree of what was taken out (RFC 6962): the roots of its largest complete subtrees, largest first. */
  readonly frontier: readonly Hash[]
  /** Hex: the hash of the last one taken out. */
  readonly link: string
}

/** Never the text of a checkpoint: its second line is a word, that of a checkpoint a number. */
export function writeTombstone({ origin, at, stream, through, frontier, link }: Tombstone): string {
  const subtrees = frontier.map(root => `subtree ${Buffer.from(root, 'latin1').toString('base64')}`)
  return `${[origin, 'tombstone', `at ${at}`, `stream ${encodeURIComponent(stream)} ${through}`, `link ${link}`, ...subtrees].join('\n')}\n`
}

const TEXT = /^([^\n]+)\ntombstone\nat (\d{1,16})\nstream (\S+) (\d{1,16})\nlink ([0-9a-f]{64})\n((?:subtree [A-Za-z0-9+/]{43}=\n)*)$/

/** Undefined where it is none, or does not add up. */
export function readTombstone(text: string): Tombstone | undefined {
  const [, origin, at, name, through, link, subtrees] = TEXT.exec(text) ?? []
  if (origin === undefined || name === undefined || link === undefined || subtrees === undefined) return undefined
  const lines = subtrees.split('\n').slice(0, -1)
  const frontier = lines.map(line => Buffer.from(line.slice('subtree '.length), 'base64').toString('latin1'))
  if (rootOf(Number(through), frontier) === undefined) return undefined
  try {
    return { origin, at: Number(at), stream: decodeURIComponent(name), through: Number(through), link, frontier }
  } catch {
    return undefined
  }
}

/** One that one of `trusted` signed, in the name of its log. Undefined where none did. */
export const openTombstone = (note: string, trusted: readonly Trusted[]): Tombstone | undefined => openSigned(note, trusted, readTombstone)

/** A stored tombstone, held against its note. A string says what does not fit. */
export function readTombstoneRow(row: TombstoneRow, trusted: readonly Trusted[]): Tombstone | string {
  const tombstone = openTombstone(row.note, trusted)
  if (tombstone === undefined) return 'its note is not signed by a trusted key'
  for (const column of ['stream', 'through', 'at', 'link'] as const)
    if (tombstone[column] !== row[column]) return `column ${column} differs from its note`
  return writeFrontier(tombstone.frontier) === row.frontier ? tombstone : 'column frontier differs from its note'
}
