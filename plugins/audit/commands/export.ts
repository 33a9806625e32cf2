// `audit export`: the log in a file of its own, oldest record first; goes on where it was stopped.
import { resolve } from 'node:path'
import type { CommandIo } from 'mcpgw/plugin'
import type { AuditConfig } from '../config.ts'
import { exportRows } from './export-csv.ts'
import { type Asked, type Form, openFile, readState, type State, standardOutput, type Target } from './export-file.ts'
import { exportLines } from './export-jsonl.ts'
import { describeCommand, failed, openLog, openSealed, readRange, type StoredLog, unname } from './read.ts'

const PROGRESS_MS = 500
/** For rows only: lines that verify are all of the log. */
const CHOICES = ['consumer', 'server', 'tool', 'status', 'decision', 'tenant', 'type', 'text', 'since', 'until', 'contents']

export async function exportLog(io: CommandIo<AuditConfig>): Promise<number> {
  const { out, resume } = io.options
  const asked = Object.fromEntries(
    ['format', ...CHOICES].flatMap(name => (io.options[name] === undefined ? [] : [[name, io.options[name]]])),
  )
  const range = readRange(io)
  const problem = typeof range === 'string' ? range : findProblem(io, asked as Asked)
  if (typeof range === 'string' || problem !== undefined) {
    io.err(`audit export: ${problem}\n`)
    return 2
  }
  let opened: StoredLog | undefined
  try {
    opened = await openLog(io, 'audit export')
    const { name } = opened
    const path = typeof out === 'string' ? resolve(io.cwd, out) : undefined
    const begun: State = { v: 1, log: name, asked: { format: 'jsonl', ...asked }, range, cursor: null, bytes: 0, records: 0, notes: [] }
    const state = resume === true ? await readState(`${path}.state`, name, asked as Asked) : begun
    const target = path === undefined ? standardOutput(io) : await openFile(path, state, resume === true)
    try {
      return await copy(io, opened, target, state)
    } finally {
      await target.close()
    }
  } catch (error) {
    return failed(io, 'audit export', error)
  } finally {
    await opened?.close()
  }
}

function findProblem({ options }: CommandIo<AuditConfig>, asked: Asked): string | undefined {
  const { format, out, resume } = options
  if (format !== undefined && format !== 'jsonl' && format !== 'csv') return '--format: expected jsonl or csv'
  if (resume === true && typeof out !== 'string') return '--resume: expected --out FILE beside it, the file to go on with'
  const chosen = CHOICES.find(name => asked[name] !== undefined)
  // With --resume the format may be that of the file.
  return chosen === undefined || format === 'csv' || (format === undefined && resume === true)
    ? undefined
    : `--${chosen}: JSONL is the whole log, or it would not verify; choose with --format csv, or with audit log --json`
}

async function formOf(io: CommandIo<AuditConfig>, { reader }: StoredLog, { asked, range, notes }: State): Promise<Form> {
  if (asked.format !== 'csv') return exportLines(reader, notes)
  const open = await openSealed(io, reader)
  return exportRows({ io: { ...io, options: asked }, reader, open, range, contents: asked.contents === true })
}

async function copy(io: CommandIo<AuditConfig>, log: StoredLog, target: Target, state: State): Promise<number> {
  const form = await formOf(io, log, state)
  const total = await log.reader.count()
  let { cursor, records } = state
  const { bytes: _, ...kept } = state
  let shown = io.clock.mono()
  if (state.bytes === 0) await target.write(form.head)
  for await (const page of log.reader.forward(io.signal, cursor ?? undefined)) {
    await target.write(form.write(page.records))
    cursor = page.cursor
    records += page.records.length
    await target.keep({ ...kept, cursor, records })
    const now = io.clock.mono()
    if (io.interactive && now - shown > PROGRESS_MS) {
      shown = now
      io.err(`\r${records} of ${Math.max(total, records)} records `)
    }
  }
  const asked = state.asked as Readonly<Record<string, string | boolean>>
  const copied = { asked: await unname(io, log.reader, asked), from: state.cursor, to: cursor, records: records - state.records }
  const called = describeCommand(io, 'audit export')
  const detail = { ...called, options: await unname(io, log.reader, called.options), ...copied }
  if (!(await io.record({ type: 'log.export', success: !io.signal.aborted, detail })))
    io.err('audit export: how far it came could not be put on record; that it began is\n')
  if (io.signal.aborted) {
    io.err(`\naudit export: stopped after ${records} records${typeof io.options.out === 'string' ? '; --resume goes on' : ''}\n`)
    return 3
  }
  await target.write(form.tail)
  await target.keep({ ...kept, cursor, records, notes: form.notes })
  io.err(`${form.describe(records - state.records)}\n`)
  return 0
}
