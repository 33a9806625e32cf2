// The port behind which a log is kept: an SQLite file or a PostgreSQL database. Whoever chains, verifies or reads records knows only this.
import type { Append, GroupWriter } from 'mcpgw/plugin'

/** A record as it lies in the store; `body` is its exact bytes, for text with a damaged character would read like text with a replaced one. */
export interface StoredRecord {
  /** Place in a store that numbers all of its records without gaps. */
  readonly n?: number
  readonly stream: string
  readonly seq: number
  readonly at: number
  readonly type: string
  readonly call: string
  readonly prev: Uint8Array
  readonly hash: Uint8Array
  readonly body: Uint8Array
}

/** The last record of a stream, as the store has it. */
export interface Head {
  readonly seq: number
  /** Hex. */
  readonly link: string
}

/** Somebody that records are about. The key that seals them is wrapped; who it is, is sealed by that key. */
export interface SubjectRow {
  readonly id: string
  /** Hex: a keyed digest of tenant and id, to find them by. Not unique: each instance may make its own. */
  readonly lookup: string
  /** Base64, as everything that is sealed. */
  readonly key: string
  readonly who: string
}

/** What was known of a stream when `note` was signed. Where several streams are in one note, each has its row. */
export interface CheckpointRow {
  readonly stream: string
  /** Records of the stream that are covered: its first `size`. */
  readonly size: number
  readonly at: number
  /** Hex: the compact range of the tree at that size (RFC 6962), largest subtree first. */
  readonly frontier: string
  readonly note: string
}

/** Says that records `1` to `through` of a stream were taken out after they were exported and covered by a checkpoint. */
export interface TombstoneRow {
  readonly stream: string
  readonly through: number
  readonly at: number
  /** Hex: the hash of the last one taken out, which the first one that is left continues. */
  readonly link: string
  readonly frontier: string
  /** Signed as a checkpoint is. */
  readonly note: string
}

/** Whose records must stay: of a tenant, of a consumer, or with neither of everybody. */
export interface Hold {
  readonly id: string
  readonly tenant: string | null
  readonly consumer: string | null
  readonly reason: string
  /** ms since 1970. */
  readonly at: number
}

/** Records of a stream that go at once: those behind the tombstone before it, up to this one. */
export interface Removal {
  readonly tombstone: TombstoneRow
  readonly records: number
  /** Between which numbers of the store they are, where it numbers them. */
  readonly between: readonly [number, number] | undefined
}

/** What may take out and hold, one at a time: while it is open no other one of this log is. */
export interface Retention {
  /** One transaction: the tombstone and the removal, or neither. */
  remove(removal: Removal): Promise<void>
  hold(hold: Hold): Promise<void>
  release(id: string): Promise<void>
  /** Marks keys that are about to be deleted: whoever seals with one stops within `LEASE_MS`. */
  retire(subjects: readonly string[]): Promise<void>
  /** One transaction: deletes keys and their marks. */
  forget(subjects: readonly string[]): Promise<void>
  /** What was deleted is overwritten, as far as that can be; a text says where its bytes are left, and until when. */
  overwrite(): Promise<string | undefined>
  close(): Promise<void>
}

export interface Page {
  readonly records: readonly StoredRecord[]
  /** Where to go on later, also in another process. */
  readonly cursor: string
  /** The same, behind one of its records. */
  cursorBehind(record: StoredRecord): string
}

export interface TimeRange {
  readonly since: number
  readonly until: number
}

export interface OpenStream {
  readonly name: string
  /** The process that writes it still runs. */
  readonly isLive: boolean
  /** It was ended in order: none of its calls is open. */
  readonly isEnded: boolean
}

export interface LogReader {
  /** Every record behind `cursor` (absent: all), each stream in the order of `seq`, a stream behind the record that it continues. Between pages other work gets its turn. */
  forward(signal: AbortSignal, cursor?: string): AsyncIterable<Page>
  /** Whether a text has the form of a cursor of this kind of store. */
  isCursor(text: string): boolean
  /**
   * Whatever is beyond what was read already: of each stream `known` through which record, of the whole log the `place` that the last page gave.
   * May give some of that again. A place of another log, or of what was taken out since, leads to all that there is.
   */
  beyond(
    known: ReadonlyMap<string, number>,
    place: string | undefined,
    signal: AbortSignal,
  ): AsyncIterable<{ readonly records: readonly StoredRecord[]; readonly place: string }>
  /** Newest first. */
  backward(range: TimeRange, signal: AbortSignal): AsyncIterable<readonly StoredRecord[]>
  /** Records of one stream from `seq` on. */
  stream(name: string, from: number, signal: AbortSignal): AsyncIterable<readonly StoredRecord[]>
  /** How many records `forward` would give behind `cursor`; without looking through them. */
  behind(cursor?: string): Promise<number>
  /** Whether `forward` gave this one before it came to `cursor`. */
  isPast(cursor: string, record: StoredRecord): boolean
  /** `n`: where it is known already, so that nothing is looked through. */
  find(stream: string, seq: number, n?: number): Promise<StoredRecord | undefined>
  head(stream: string): Promise<Head | undefined>
  /** The record that a new stream continues: the newest there is. */
  last(): Promise<StoredRecord | undefined>
  /** Streams that no later one refers to as closed. */
  openStreams(): Promise<readonly OpenStream[]>
  /** Intents of the stream that have no end. */
  openCalls(stream: string): Promise<readonly StoredRecord[]>
  /** Those of these ids that are there, by the index; without `ids` all. */
  subjects(ids?: readonly string[]): Promise<readonly SubjectRow[]>
  /** Subjects whose keys are about to be deleted. */
  retired(): Promise<readonly string[]>
  /** The largest of a stream. */
  latestCheckpoint(stream: string): Promise<CheckpointRow | undefined>
  /** Every one, oldest first, page by page. */
  checkpoints(): AsyncIterable<readonly CheckpointRow[]>
  /** Of each stream the largest. */
  tombstones(): Promise<readonly TombstoneRow[]>
  /** Oldest first. */
  holds(): Promise<readonly Hold[]>
  /** How many records there are, to tell how far one is. */
  count(): Promise<number>
  close(): Promise<void>
}

/** How far one continuous export has come. Only one process at a time has it open. */
export interface ExportPlace {
  /** As it was kept last; undefined: nothing was so far. */
  readonly state: string | undefined
  /** Resolves once a killed process finds it again. */
  keep(state: string): Promise<void>
  close(): Promise<void>
}

export interface LogStore {
  /** For messages: the file, or the address without its password. */
  readonly name: string
  /** Takes the rows made below, one SQL transaction a group. Until it is closed, or the process ends, `stream` counts as live. */
  writer(stream: string): Promise<GroupWriter>
  /** Throws where there is no log, or none that this version can read; the message names the store and says what to do. `snapshot`: of one moment; what is written meanwhile cannot be cleaned away until it is closed. */
  reader(how?: 'snapshot'): Promise<LogReader>
  /** Rejects where another one is open, and where the role may not. */
  retention(): Promise<Retention>
  /** Undefined where another process has it open. `name`: lower case, digits and dashes. */
  exportPlace(name: string): Promise<ExportPlace | undefined>
  /** What is kept there, whoever has it open. */
  exportState(name: string): Promise<string | undefined>
  close(): Promise<void>
}

/** What a writer's rows mean: `sql` of an Append. Hashes come as hex: a byte array of 32 bytes costs more to hand to a thread than the text. */
export const ROWS: {
  readonly [kind in 'record' | 'openStream' | 'endStream' | 'closeStream' | 'subject' | 'checkpoint' | 'tombstone']: number
} = { record: 0, openStream: 1, endStream: 2, closeStream: 3, subject: 4, checkpoint: 5, tombstone: 6 }

/** `[stream, seq, at, type, call, prev, hash, body]`; made where it is hot, so not by a function. */
export const openStream = (name: string): Append => ({ sql: ROWS.openStream, params: [name] })
/** In order: none of its calls is open. */
export const endStream = (name: string): Append => ({ sql: ROWS.endStream, params: [name] })
/** Goes with the first record of a later stream, which refers to the last record of this one. */
export const closeStream = (name: string): Append => ({ sql: ROWS.closeStream, params: [name] })
export const subjectRow = ({ id, lookup, key, who }: SubjectRow): Append => ({ sql: ROWS.subject, params: [id, lookup, key, who] })
export const checkpointRow = ({ stream, size, at, frontier, note }: CheckpointRow): Append => ({
  sql: ROWS.checkpoint,
  params: [stream, size, at, frontier, note],
})
export const tombstoneRow = ({ stream, through, at, link, frontier, note }: TombstoneRow): Append => ({
  sql: ROWS.tombstone,
  params: [stream, through, at, link, frontier, note],
})
