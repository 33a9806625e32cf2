// Signs from time to time how far the log has come: after so many records, after so long, at the start and at the end. Never on the way of a call.
import type { Clock } from 'mcpgw/plugin'
import type { Note } from './anchors.ts'
import { writeCheckpoint } from './checkpoint.ts'
import { type SignedState, writeFrontier } from './checkpoint-row.ts'
import type { Ledger } from './ledger.ts'
import { digestOf, type Signer, signNote, type Trusted } from './note.ts'
import { createOtherStreams, type Others } from './other-streams.ts'
import { checkpointRow, type LogReader, type LogStore } from './store/log-store.ts'
import { createTree } from './tree.ts'

export interface Signing {
  readonly signer: Signer
  /** Who else's checkpoints are believed: the same key, unless it was changed. */
  readonly trusted: readonly Trusted[]
}

export interface CheckpointerOptions {
  readonly stream: string
  readonly store: LogStore
  readonly clock: Clock
  /** Asked at the start: who only puts a read on record signs nothing, and makes no key. */
  readonly signing: () => Signing
  /** Records after which, and ms after which at the latest, there is another one; where nothing has changed there is none. */
  readonly every: { readonly records: number; readonly ms: number }
  /** A checkpoint is durable. */
  onNote(note: Note): void
  /** Undefined: all is well again. */
  onHealth(why: string | undefined): void
}

export interface Checkpointer {
  /** Leaf hashes of records that are durable, as the ledger hands them over. */
  grow(leaves: readonly string[]): void
  /** Resolves when the first one was tried. Throws where there is nothing to sign with. */
  start(ledger: Ledger): Promise<void>
  /** Of all that is durable; to be called when nothing more is to come. It has no record of its own, so that it covers the stream to its end. */
  finish(): Promise<void>
}

const FIRST_RETRY_MS = 200
const LAST_RETRY_MS = 2000

export function createCheckpointer(options: CheckpointerOptions): Checkpointer {
  const { stream, store, clock, every } = options
  const tree = createTree()
  let begun: { readonly ledger: Ledger; readonly signer: Signer; readOthers(reader: LogReader): Promise<Others> } | undefined
  /** Of the last one, its own record included. */
  let covered = 0
  let running: Promise<void> | undefined
  let delay = FIRST_RETRY_MS
  let cancel: (() => void) | undefined
  let isOver = false

  /** Never rejects. `isLast`: whatever there is, and without a record of it. */
  async function take(isLast: boolean): Promise<void> {
    cancel?.()
    try {
      const doubts = await sign(isLast)
      delay = FIRST_RETRY_MS
      options.onHealth(doubts.length === 0 ? undefined : doubts.join('; '))
      schedule(every.ms)
    } catch (error) {
      options.onHealth(`no checkpoint could be made: ${(error as Error).message}`)
      schedule(delay)
      delay = Math.min(2 * delay, LAST_RETRY_MS)
    }
  }

  function schedule(ms: number): void {
    if (!isOver) cancel = clock.after(ms, begin)
  }

  function begin(): void {
    running ??= take(false).then(() => {
      running = undefined
      if (!isOver && delay === FIRST_RETRY_MS && tree.size - covered >= every.records) begin()
    })
  }

  async function sign(isLast: boolean): Promise<readonly string[]> {
    // What is signed of the own stream is what was handed over, whatever the store says of it.
    const own: SignedState = { stream, size: tree.size, root: tree.root(), frontier: tree.frontier() }
    const { ledger, signer, readOthers } = begun!
    const { streams, doubts } = await look(readOthers)
    const news = streams.filter(one => one.isNew)
    if (own.size <= covered && news.length === 0 && !isLast) return doubts
    // The own one in any case: the record of the checkpoint tells of it.
    const grown = [own, ...news]
    const all = [own, ...streams].sort((a, b) => (a.stream < b.stream ? -1 : 1))
    const at = clock.now()
    const text = signNote(signer, writeCheckpoint({ origin: signer.name, at, streams: all }))
    const rows = grown.map(one =>
      checkpointRow({ stream: one.stream, size: one.size, at, frontier: writeFrontier(one.frontier), note: text }),
    )
    const failed = await ledger.append(isLast ? [] : [describe(own, all.length, text)], 'offer', rows)
    if (failed !== undefined) throw new Error(failed)
    covered = own.size + (isLast ? 0 : 1)
    options.onNote({ text, at })
    return doubts
  }

  function describe({ size, root }: SignedState, streams: number, note: string) {
    const detail = { size, root: Buffer.from(root, 'latin1').toString('hex'), streams, note: digestOf(note) }
    return { type: 'audit.checkpoint', call: '', at: clock.now(), mono: clock.mono(), members: `,"detail":${JSON.stringify(detail)}` }
  }

  async function look(readOthers: (reader: LogReader) => Promise<Others>): Promise<Others> {
    const reader = await store.reader()
    try {
      return await readOthers(reader)
    } finally {
      await reader.close()
    }
  }

  return {
    grow(leaves) {
      for (const leaf of leaves) tree.add(leaf)
      if (tree.size - covered >= every.records && begun !== undefined && delay === FIRST_RETRY_MS && !isOver) begin()
    },
    async start(ledger) {
      const { signer, trusted } = options.signing()
      begun = { ledger, signer, readOthers: createOtherStreams(stream, trusted) }
      begin()
      await running
    },
    async finish() {
      isOver = true
      cancel?.()
      await running
      if (begun !== undefined) await take(true)
    },
  }
}
