// A checkpoint: how long the streams of a log were, and the roots of their trees, in the text that is signed. Spec: C2SP tlog-checkpoint.
// Streams that ended are vouched for by the first record of a later one (`closes`), so that a checkpoint only has those that are at their ends.
import { hash } from 'node:crypto'
import { type Hash, treeOf } from './tree.ts'

export interface StreamState {
  readonly stream: string
  readonly size: number
  readonly root: Hash
}
export interface Checkpoint {
  /** Name of the log. */
  readonly origin: string
  /** ms since 1970. */
  readonly at: number
  /** Sorted by name. */
  readonly streams: readonly StreamState[]
}

const base64 = (root: Hash): string => Buffer.from(root, 'latin1').toString('base64')
const lineOf = ({ stream, size, root }: StreamState): string => `stream ${encodeURIComponent(stream)} ${size} ${base64(root)}`

/** The first three lines are those of any checkpoint: the tree they speak of has a leaf for each `stream` line below. */
export function writeCheckpoint({ origin, at, streams }: Checkpoint): string {
  const lines = streams.map(lineOf)
  return `${[origin, String(streams.length), base64(rootOfLines(lines)), `at ${at}`, ...lines].join('\n')}\n`
}

/** As the third line of its text has it. */
export const rootTextOf = ({ streams }: Checkpoint): string => base64(rootOfLines(streams.map(lineOf)))

/** Undefined where it is none, or does not add up. */
export function readCheckpoint(text: string): Checkpoint | undefined {
  const [origin, count, root, time, ...rest] = text.split('\n')
  const lines = rest.slice(0, -1)
  const at = /^at (\d{1,16})$/.exec(time ?? '')?.[1]
  const streams = lines.map(readStream)
  if (origin === undefined || origin === '' || at === undefined || rest.at(-1) !== '' || streams.includes(undefined)) return undefined
  const checkpoint = { origin, at: Number(at), streams: streams as StreamState[] }
  return count === String(streams.length) && root === base64(rootOfLines(lines)) ? checkpoint : undefined
}

function readStream(line: string): StreamState | undefined {
  const [, name, size, root] = /^stream (\S+) (\d{1,16}) ([A-Za-z0-9+/]{43}=)$/.exec(line) ?? []
  if (name === undefined || size === undefined || root === undefined) return undefined
  try {
    return { stream: decodeURIComponent(name), size: Number(size), root: Buffer.from(root, 'base64').toString('latin1') }
  } catch {
    return undefined
  }
}

const rootOfLines = (lines: readonly string[]): Hash => treeOf(lines.map(line => hash('sha256', `\0${line}`, 'binary'))).root()
