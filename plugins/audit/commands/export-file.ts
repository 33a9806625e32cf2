// What an export is made of, and where it goes: standard output, or a file that grows by what lasts, so that whatever stops it leaves something to go on with.
import { type FileHandle, open, readFile } from 'node:fs/promises'
import type { CommandIo } from 'mcpgw/plugin'
import type { AuditConfig } from '../config.ts'
import type { StoredRecord, TimeRange } from '../store/log-store.ts'
import { replaceFile } from './replace-file.ts'

/** What the file holds: the options that choose it, as they were given. */
export type Asked = Readonly<Record<string, string | boolean>>

/** How far a file is; beside it, as FILE.state. */
export interface State {
  readonly v: 1
  /** Name of its store. */
  readonly log: string
  readonly asked: Asked
  /** What times ago meant when it was begun. */
  readonly range: TimeRange
  /** Null where nothing was copied so far. */
  readonly cursor: string | null
  /** Length of the file up to there: what is behind it was not finished. */
  readonly bytes: number
  /** That were read for it. */
  readonly records: number
  /** Digests of the notes that it holds already. */
  readonly notes: readonly string[]
}

/** What an export is written as. */
export interface Form {
  /** Before the first record. */
  readonly head: string
  write(records: readonly StoredRecord[]): string
  /** Behind the last record. */
  readonly tail: string
  /** Digests of the notes that the file then has. */
  readonly notes: readonly string[]
  /** What was done, given how many records were read. */
  describe(records: number): string
}

export interface Target {
  write(text: string): Promise<void>
  /** What was written so far, and how far that is, lasts. */
  keep(state: Omit<State, 'bytes'>): Promise<void>
  close(): Promise<void>
}

export function standardOutput(io: CommandIo<AuditConfig>): Target {
  return {
    async write(text) {
      if (text !== '') io.out(text)
    },
    async keep() {},
    async close() {},
  }
}

/** Rejects where it cannot be begun or gone on with. */
export async function openFile(path: string, state: State, isResumed: boolean): Promise<Target> {
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

/** Rejects where nothing can be gone on with; `asked`: as it is given now, which must be as it was. */
export async function readState(path: string, log: string, asked: Asked): Promise<State> {
  const state = parse(await readFile(path, 'utf8'))
  if (state === undefined) throw new Error(`${path}: does not say how far the export is; export anew to another file`)
  if (state.log !== log) throw new Error(`${path}: is of another log, ${state.log}`)
  const other = Object.keys(asked).find(name => asked[name] !== state.asked[name])
  if (other === undefined) return state
  const was = state.asked[other] === undefined ? 'without it' : `with --${other} ${String(state.asked[other])}`
  throw new Error(`${path}: --${other}: the file was begun ${was}; go on with it as it was, or export anew to another file`)
}

function parse(text: string): State | undefined {
  try {
    const state = JSON.parse(text) as State
    const isWhole =
      state.v === 1 &&
      typeof state.log === 'string' &&
      typeof state.asked.format === 'string' &&
      [state.range.since, state.range.until].every(Number.isSafeInteger) &&
      (typeof state.cursor === 'string' || state.cursor === null) &&
      [state.bytes, state.records].every(count => Number.isSafeInteger(count) && count >= 0) &&
      Array.isArray(state.notes)
    return isWhole ? state : undefined
  } catch {
    return undefined
  }
}
