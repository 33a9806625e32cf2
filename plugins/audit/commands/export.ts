// `audit export`: the whole log as lines that verify with nothing else at hand; what is sealed stays sealed. Goes on where it was stopped.
import { type FileHandle, open, readFile, rename, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { CommandIo } from 'mcpgw/plugin'
import type { AuditConfig } from '../config.ts'
import { writeLine } from '../export-line.ts'
import type { LogReader } from '../store/log-store.ts'
import { openForReading } from './read.ts'

/** How far a file is; beside it, as FILE.state. */
interface State {
  readonly cursor: string | undefined
  /** Length of the file up to there: what is behind it was not finished. */
  readonly bytes: number
  readonly records: number
  /** Notes that it holds already. */
  readonly notes: number
}
interface Target {
  write(text: string): Promise<void>
  /** What was written so far, and how far that is, lasts. */
  keep(state: Omit<State, 'bytes'>): Promise<void>
  close(): Promise<void>
}

const NEW: State = { cursor: undefined, bytes: 0, records: 0, notes: 0 }
const PROGRESS_MS = 500

export async function exportLog(io: CommandIo<AuditConfig>): Promise<number> {
  const { out, resume } = io.options
  if (resume === true && typeof out !== 'string') {
    io.err('audit export: --resume: expected --out FILE beside it, the file to go on with\n')
    return 2
  }
  const log = await openForReading(io)
  if (log === undefined) return 3
  try {
    const path = typeof out === 'string' ? resolve(io.cwd, out) : undefined
    const state = resume === true ? await readState(`${path}.state`) : NEW
    const target = path === undefined ? standardOutput(io) : await openFile(path, state)
    try {
      return await copy(io, log.reader, target, state)
    } finally {
      await target.close()
    }
  } catch (error) {
    io.err(`audit export: ${(error as Error).message}\n`)
    return 3
  } finally {
    await log.close()
  }
}

async function copy(io: CommandIo<AuditConfig>, reader: LogReader, target: Target, state: State): Promise<number> {
  // Before the records: a note that speaks of more than was exported would tell of a tail that is missing.
  const notes = await notesOf(reader)
  const total = await reader.count()
  let { cursor, records } = state
  let shown = io.clock.mono()
  for await (const page of reader.forward(io.signal, cursor)) {
    await target.write(page.records.map(({ body, prev, hash }) => writeLine({ kind: 'record', body, prev, hash })).join(''))
    cursor = page.cursor
    records += page.records.length
    await target.keep({ cursor, records, notes: state.notes })
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
  const fresh = notes.slice(state.notes)
  await target.write(fresh.map(writeLine).join(''))
  await target.keep({ cursor, records, notes: Math.max(state.notes, notes.length) })
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

async function openFile(path: string, { bytes }: State): Promise<Target> {
  const file = await (bytes === 0 ? create(path) : open(path, 'r+'))
  let written = bytes
  await file.truncate(bytes)
  return {
    async write(text) {
      const chunk = Buffer.from(text)
      await file.write(chunk, 0, chunk.length, written)
      written += chunk.length
    },
    async keep(state) {
      await file.datasync()
      await writeFile(`${path}.state.new`, `${JSON.stringify({ ...state, bytes: written })}\n`, { mode: 0o600 })
      await rename(`${path}.state.new`, `${path}.state`)
    },
    close: () => file.close(),
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

async function readState(path: string): Promise<State> {
  const text = await readFile(path, 'utf8')
  try {
    const { cursor, bytes, records, notes } = JSON.parse(text) as State
    if (typeof cursor === 'string' && [bytes, records, notes].every(count => Number.isSafeInteger(count) && count >= 0))
      return { cursor, bytes, records, notes }
  } catch {
    // Told below.
  }
  throw new Error(`${path}: does not say how far the export is; export anew to another file`)
}
