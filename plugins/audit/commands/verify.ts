// `audit verify`: 1 broken, 3 not readable, 4 consistent, though nothing outside of the file proves that it is complete.
import type { CommandIo } from 'mcpgw/plugin'
import type { AuditConfig } from '../config.ts'
import { exactColumns } from '../table.ts'
import { createVerifier, type ExactRecord, type Finding, type Verifier } from '../verification.ts'
import { openForReading, readForward } from './read.ts'
import { printable } from './show.ts'

const PROGRESS_MS = 500

export async function verifyLog(io: CommandIo<AuditConfig>): Promise<number> {
  const [file] = io.args
  const db = openForReading(io, typeof file === 'string' ? file : undefined)
  if (db === undefined) return 3
  const find = db.prepare('SELECT hash FROM record WHERE stream = ? AND seq = ?')
  const verifier = createVerifier((stream, seq) => find.get(stream, seq)?.hash as Uint8Array | undefined)
  const began = io.clock.mono()
  let shown = began
  try {
    for await (const page of readForward<ExactRecord>(db, io.signal, exactColumns)) {
      for (const record of page) {
        const finding = verifier.check(record)
        if (finding !== undefined) return report(io, db.path, verifier, finding)
      }
      const now = io.clock.mono()
      if (io.interactive && now - shown > PROGRESS_MS) {
        shown = now
        io.err(`\r${verifier.records} records, ${Math.round((verifier.records / (now - began)) * 1000)}/s `)
      }
    }
    if (io.signal.aborted) {
      io.err(`\naudit verify: stopped after ${verifier.records} records, none of them broken\n`)
      return 3
    }
    return report(io, db.path, verifier, undefined)
  } catch (error) {
    // The file opened as a log, and now a page of it cannot be read.
    const what = `the file is damaged: ${(error as Error).message}`
    return report(io, db.path, verifier, { n: verifier.records + 1, stream: '?', seq: 0, what })
  } finally {
    db.close()
  }
}

function report(io: CommandIo<AuditConfig>, path: string, verifier: Verifier, broken: Finding | undefined): number {
  const { records, streams, open, unannounced } = verifier
  if (io.json) {
    const verdict = broken === undefined ? 'consistent' : 'broken'
    io.out(
      `${JSON.stringify({ verdict, completeness: 'not proven', file: path, records, streams, openIntents: open, unannounced, broken: broken ?? null }, null, 2)}\n`,
    )
  } else if (broken !== undefined) {
    io.out(
      `BROKEN at record ${broken.n} (${printable(broken.stream)}:${broken.seq}): ${printable(broken.what)}\n${records - 1} records before it are consistent\n`,
    )
  } else if (records === 0) {
    io.out('EMPTY: no records, so nothing is proven\n')
  } else {
    const notes = [
      open > 0 ? `${open} calls without an outcome` : '',
      unannounced > 0 ? `${unannounced} outcomes without an intent` : '',
    ].filter(Boolean)
    io.out(`CONSISTENT, completeness not proven: ${records} records in ${streams} streams${notes.map(note => `, ${note}`).join('')}\n`)
    io.err('Records cut from the end leave no trace in the file itself; only a checkpoint kept elsewhere can show that.\n')
  }
  return broken === undefined ? 4 : 1
}
