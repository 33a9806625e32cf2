// `audit export`: the whole log as lines that verify with nothing else at hand; what is sealed stays sealed. Goes on where it was stopped.
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { CommandIo } from 'mcpgw/plugin'
import type { AuditConfig } from '../config.ts'
import { writeLine } from '../export-line.ts'
import { digestOf } from '../note.ts'
import type { LogReader } from '../store/log-store.ts'
import { openLog, type StoredLog } from './read.ts'
import { replaceFile } from './replace-file.ts'

/** How far a file is; beside it, as FILE.state. */
interface State {
  readonly v: 1
  /** Name of its store. */
  readonly log: string
  /** Null where nothing was copied so far. */
  readonly cursor: string | null
  /** Length of the file up to there: what is behind it was not finished. */
  readonly bytes: number
  readonly records: number
  /** Digests of the notes that it holds already. */
  readonly notes: readonly string[]
}
interface Target {
  write(text: string): Promise<void>
  /** What was written so far, and how far that is, lasts. */
  keep(state: Omit<State, 'bytes'>): Promise<void>
  close(): Promise<void>
}

const PROGRESS_MS = 500

export async function exportLog(io: CommandIo<AuditConfig>): Promise<number> {
  const { out, resume } = io.options
  if (resume === true && typeof out !== 'string') {
    io.err('audit export: --resume: expected --out FILE beside it, the file to go on with\n')
    return 2
  }
  let opened: StoredLog | undefined
  try {
    opened = await openLog(io)
    const { name, reader } = opened
    const path = typeof out === 'string' ? resolve(io.cwd, out) : undefined
    const begun: State = { v: 1, log: name, cursor: null, bytes: 0, records: 0, notes: [] }
    const state = resume === true ? await readState(`${path}.state`, begun.log) : begun
    const target = path === undefined ? standardOutput(io) : await openFile(path, state, resume === true)
    try {
      return await copy(io, reader, target, state)
    } finally {
      await target.close()
    }
  } catch (error) {
    io.err(`audit export: ${(error as Error).message}\n`)
    return 3
  } finally {
    await opened?.close()
  }
}

async function copy(io: CommandIo<AuditConfig>, reader: LogReader, target: Target, state: State): Promise<number> {
  // Before the records: a note that speaks of more than was exported would tell of a tail that is missing.
  const notes = await notesOf(reader)
  const total = await reader.count()
  let { cursor, records } = state
  const { v, log } = state
  let shown = io.clock.mono()
  for await (const page of reader.forward(io.signal, cursor ?? undefined)) {
    await target.write(page.records.map(({ body, prev, hash }) => writeLine({ kind: 'record', body, prev, hash })).join(''))
    cursor = page.cursor
    records += page.records.length
    await target.keep({ v, log, cursor, records, notes: state.notes })
    const now = io.clock.mono()
    if (io.interactive && now - shown > PROGRESS_MS) {
      shown = now
      io.err(`\r${records} of ${Math.max(total, records)} records `)
    }
  }
  if (io.signal.aborted) {
    io.err(`\naudit export: stopped after ${records} records${typeof io.options.out === 'string' ? '; --resume goes on' : ''}\n`)
    return 3
  }
  const held = new Set(state.notes)
  const fresh = notes.filter(({ note }) => !held.has(digestOf(note)))
  await target.write(fresh.map(writeLine).join(''))
  await target.keep({ v, log, cursor, records, notes: [...state.notes, ...fresh.map(({ note }) => digestOf(note))] })
  io.err(`${records - state.records} records and ${fresh.length} signed notes exported\n`)
  return 0
}

type Note = { readonly kind: 'checkpoint' | 'tombstone'; readonly note: string }

/** Each once, oldest first: one that speaks of several streams has a row for each of them. */
async function notesOf(reader: LogReader): Promise<readonly Note[]> {
  const notes = new Map<string, Note>()
  for (const { note } of await reader.tombstones()) notes.set(note, { kind: 'tombstone', note })
  for (const { note } of await reader.checkpoints('all')) notes.set(note, { kind: 'checkpoint', note })
  return [...notes.values()]
}

function standardOutput(io: CommandIo<AuditConfig>): Target {
  return {
    async write(text) {
      io.out(text)
    },
    async keep() {},
    async close() {},
  }
}

async function openFile(path: string, state: State, isResumed: boolean): Promise<Target> {
  const file = await (isResumed ? open(path, 'r+') : create(path))
  let written = state.bytes
  const target: Target = {
    async write(text) {
      for (let left = Buffer.from(text); left.length > 0; ) {
        const { bytesWritten } = await file.write(left, 0, left.length, written)
        if (bytesWritten === 0) throw new Error(`${path}: cannot be written any further`)
        written += bytesWritten
        left = left.subarray(bytesWritten)
      }
    },
    async keep(kept) {
      await file.datasync()
      replaceFile(`${path}.state`, `${JSON.stringify({ ...kept, bytes: written })}\n`)
    },
    close: () => file.close(),
  }
  try {
    const { size } = await file.stat()
    if (size < state.bytes) throw new Error(`${path}: has ${size} bytes, and had ${state.bytes}; export anew to another file`)
    await file.truncate(state.bytes)
    // At once, so that whatever stops the first page leaves something to go on with.
    await target.keep(state)
    return target
  } catch (error) {
    await file.close()
    throw error
  }
}

async function create(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new Error(`${path}: is there already; give another file, or go on with it by --resume`)
  }
}

async function readState(path: string, log: string): Promise<State> {
  const text = await readFile(path, 'utf8')
  const state = parse(text)
  if (state === undefined) throw new Error(`${path}: does not say how far the export is; export anew to another file`)
  if (state.log !== log) throw new Error(`${path}: is of another log, ${state.log}`)
  return state
}

function parse(text: string): State | undefined {
  try {
    const state = JSON.parse(text) as State
    const isWhole =
      state.v === 1 &&
      typeof state.log === 'string' &&
      (typeof state.cursor === 'string' || state.cursor === null) &&
      [state.bytes, state.records].every(count => Number.isSafeInteger(count) && count >= 0) &&
      Array.isArray(state.notes)
    return isWhole ? state : undefined
  } catch {
    return undefined
  }
}
