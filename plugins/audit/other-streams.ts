// What a checkpoint says of the streams of other boots: of those that run what their own gateway signed last, of those that ended all of it.
import { leafOfBody, linkRecord } from './chain.ts'
import { openCheckpoint, readRow, type SignedState } from './checkpoint-row.ts'
import type { Trusted } from './note.ts'
import type { LogReader, OpenStream } from './store/log-store.ts'
import { createTree } from './tree.ts'

export interface OtherState extends SignedState {
  /** More than what is stored of it. */
  readonly isNew: boolean
}
export interface Others {
  readonly streams: readonly OtherState[]
  /** What could not be vouched for, and why. */
  readonly doubts: readonly string[]
}

/** Streams that no later one refers to so far, but for `own`. */
export function createOtherStreams(own: string, trusted: readonly Trusted[]): (reader: LogReader) => Promise<Others> {
  // What has ended does not grow: it is read once, unless it turns out to have lived on.
  const ended = new Map<string, SignedState>()

  async function look(reader: LogReader, { name, isLive }: OpenStream): Promise<OtherState | string | undefined> {
    const row = await reader.latestCheckpoint(name)
    const signed = row === undefined ? undefined : readRow(row, note => openCheckpoint(note, trusted))
    if (typeof signed === 'string')
      return `checkpoint ${row!.size} of stream ${name}: ${signed}; gateways that share a log share its signing key`
    if (isLive) return signed === undefined ? undefined : { ...signed, isNew: false }
    const known = ended.get(name)
    const head = await reader.head(name)
    const state = known !== undefined && known.size === head?.seq ? known : await readOn(reader, name, known ?? signed)
    if (typeof state === 'string') return `stream ${name}: ${state}`
    ended.set(name, state)
    return state.size === 0 ? undefined : { ...state, isNew: state.size > (signed?.size ?? 0) }
  }

  return async reader => {
    const open = (await reader.openStreams()).filter(({ name }) => name !== own)
    const found: (OtherState | string | undefined)[] = []
    for (const one of open) found.push(await look(reader, one))
    return {
      streams: found.filter(one => typeof one === 'object'),
      doubts: found.filter(one => typeof one === 'string'),
    }
  }
}

/** From what was signed to the end. The chain is checked on the way: what is broken is not signed. */
async function readOn(reader: LogReader, stream: string, signed: SignedState | undefined): Promise<SignedState | string> {
  const tree = createTree(signed?.size, signed?.frontier)
  let last: Uint8Array | undefined
  for await (const page of reader.stream(stream, tree.size + 1, new AbortController().signal)) {
    for (const { seq, prev, hash, body } of page) {
      const leaf = leafOfBody(body)
      const isNext = seq === tree.size + 1 && (last === undefined || Buffer.compare(prev, last) === 0)
      if (!isNext || Buffer.compare(hash, linkRecord(prev, leaf)) !== 0) return `record ${seq} does not fit; see mcpgw audit verify`
      tree.add(leaf)
      last = hash
    }
  }
  return { stream, size: tree.size, root: tree.root(), frontier: tree.frontier() }
}
