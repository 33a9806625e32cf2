// `audit verify`: 1 broken, 3 not readable, 4 consistent, though nothing outside of the file proves that it is complete.
import type { CommandIo } from 'mcpgw/plugin'
import type { AuditConfig } from '../config.ts'
import { createVerifier, type Finding, type Verifier } from '../verification.ts'
import { openForReading } from './read.ts'
import { printable } from './show.ts'

const PROGRESS_MS = 500

export async function verifyLog(io: CommandIo<AuditConfig>): Promise<number> {
  const [file] = io.args
  const log = await openForReading(io, typeof file === 'string' ? file : undefined)
  if (log === undefined) return 3
  const { reader } = log
  const { name } = log.store
  const verifier = createVerifier(async (stream, seq) => (await reader.find(stream, seq))?.hash)
  const began = io.clock.mono()
  let shown = began
  try {
    for await (const { records } of reader.forward(io.signal)) {
      for (const record of records) {
        const finding = await verifier.check(record)
        if (finding !== undefined) return report(io, name, verifier, finding)
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
    return report(io, name, verifier, undefined)
  } catch (error) {
    // The file opened as a log, and now a page of it cannot be read.
    const what = `the file is damaged: ${(error as Error).message}`
    return report(io, name, verifier, { n: verifier.records + 1, stream: '?', seq: 0, what })
  } finally {
    await log.close()
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
