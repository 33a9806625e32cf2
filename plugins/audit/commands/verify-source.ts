// Where records to verify come from: a store, a file that was exported from one, or a folder of such files.
import { createReadStream } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { CommandIo } from 'mcpgw/plugin'
import type { Source } from '../check-log.ts'
import type { AuditConfig } from '../config.ts'
import { readLine } from '../export-line.ts'
import type { GivenRecord } from '../record-form.ts'
import type { LogReader, LogStore } from '../store/log-store.ts'
import { openStore } from '../store/open.ts'

/** `file`: relative to where the command was called. `how`: as of a store's reader. Rejects where there is nothing that can be read. */
export async function openSource(io: CommandIo<AuditConfig>, file: string | undefined, how?: 'snapshot'): Promise<Source> {
  const path = file === undefined ? undefined : resolve(io.cwd, file)
  const files = path === undefined ? [] : await exportedFiles(path)
  return path !== undefined && files.length > 0 ? openExport(path, files) : openStored(openStore(io.stores, io.config, path), how)
}

/** Those of a folder, in the order of their names: each goes on where the one before it ended. None where it is no export. */
export async function exportedFiles(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory() !== true) return (await isExport(path)) ? [path] : []
  const names = (await readdir(path)).filter(name => name.endsWith('.jsonl')).sort()
  if (names.length === 0) throw new Error(`${path}: expected files that \`mcpgw audit export\` wrote, named *.jsonl`)
  return names.map(name => join(path, name))
}

/** One line of JSON after the other; a file without a byte is an export without a record. */
async function isExport(path: string): Promise<boolean> {
  const file = await open(path, 'r').catch(() => undefined)
  if (file === undefined) return false
  try {
    if (!(await file.stat()).isFile()) return false
    const first = Buffer.alloc(1)
    const { bytesRead } = await file.read(first, 0, 1, 0)
    return bytesRead === 0 || first.toString() === '{'
  } finally {
    await file.close()
  }
}

/** Closes the store with it. */
export async function openStored(store: LogStore, how?: 'snapshot'): Promise<Source> {
  const reader = await store.reader(how)
  return sourceOf(store.name, reader, async () => {
    await reader.close()
    await store.close()
  })
}

export async function sourceOf(name: string, reader: LogReader, close: () => Promise<void>): Promise<Source> {
  const tombstones = await reader.tombstones()
  return {
    name,
    total: await reader.count(),
    pages: (signal, cursor) => reader.forward(signal, cursor),
    lookUp: async (stream, seq) => (await reader.find(stream, seq))?.hash,
    rows: { checkpoints: () => reader.checkpoints(), tombstones },
    notes: { checkpoints: [], tombstones: [] },
    isPruned: () =>
      reader.tombstones().then(
        now => JSON.stringify(now) !== JSON.stringify(tombstones),
        () => false,
      ),
    close,
  }
}

async function openExport(name: string, files: readonly string[]): Promise<Source> {
  // Notes may stand behind the records that they speak of.
  const notes = { checkpoint: [] as string[], tombstone: [] as string[] }
  for await (const { lines } of linesOf(files, undefined, new AbortController().signal))
    for (const { text } of lines) {
      if (!/^\{"(checkpoint|tombstone)"/.test(text)) continue
      const line = readLine(text)
      if (line !== undefined && line.kind !== 'record') notes[line.kind].push(line.note)
    }
  async function* pages(signal: AbortSignal, cursor?: string): AsyncGenerator<{ records: GivenRecord[]; cursor: string }> {
    for await (const { lines, end } of linesOf(files, cursor, signal)) {
      const records: GivenRecord[] = []
      for (const { text, at } of lines) {
        const line = readLine(text)
        if (line === undefined)
          throw new Error(`at byte ${at}: expected a line of an exported log${text.endsWith('}') ? '' : '; it is cut off'}`)
        if (line.kind === 'record') records.push(line)
      }
      yield { records, cursor: end }
    }
  }
  return {
    name,
    total: undefined,
    pages,
    async lookUp(stream, seq) {
      for await (const { records } of pages(new AbortController().signal))
        for (const { body, hash } of records) {
          const found = JSON.parse(Buffer.from(body).toString()) as { stream?: unknown; seq?: unknown }
          if (found.stream === stream && found.seq === seq) return hash
        }
      return undefined
    },
    rows: undefined,
    notes: { checkpoints: notes.checkpoint, tombstones: notes.tombstone },
    isPruned: async () => false,
    close: async () => {},
  }
}

interface Lines {
  readonly lines: readonly { readonly text: string; readonly at: number }[]
  /** Byte behind the last of them; behind the first file also which file. */
  readonly end: string
}

async function* linesOf(files: readonly string[], cursor: string | undefined, signal: AbortSignal): AsyncGenerator<Lines> {
  const [byte, begun = '0'] = (cursor ?? '0').split('@')
  for (const [i, file] of files.entries()) {
    if (i < Number(begun)) continue
    const start = i === Number(begun) ? Number(byte) : 0
    for await (const { lines, end } of linesOfFile(file, start, signal)) yield { lines, end: i === 0 ? String(end) : `${end}@${i}` }
  }
}

/** As many at a time as a piece of the file has. */
async function* linesOfFile(
  path: string,
  start: number,
  signal: AbortSignal,
): AsyncGenerator<Omit<Lines, 'end'> & { readonly end: number }> {
  let rest: Buffer = Buffer.alloc(0)
  let at = start
  for await (const chunk of createReadStream(path, { start, highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    if (signal.aborted) return
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const lines: { text: string; at: number }[] = []
    let from = 0
    for (let to = bytes.indexOf(10); to >= 0; to = bytes.indexOf(10, from)) {
      lines.push({ text: bytes.toString('utf8', from, to), at: at + from })
      from = to + 1
    }
    rest = bytes.subarray(from)
    at += from
    if (lines.length > 0) yield { lines, end: at }
  }
  if (rest.length > 0) yield { lines: [{ text: rest.toString(), at }], end: at + rest.length }
}
