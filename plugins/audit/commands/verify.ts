// `audit verify`: 0 proven by a checkpoint that was kept elsewhere, 1 broken, 3 not readable, 4 consistent, though nothing proves that it is complete.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { CommandIo } from 'mcpgw/plugin'
import { checkLog, type Source } from '../check-log.ts'
import type { AuditConfig } from '../config.ts'
import type { Trusted } from '../note.ts'
import { readTrustedNotes, type TrustedNotes } from '../trusted-notes.ts'
import { readKeys } from './keys.ts'
import { report } from './verify-report.ts'
import { dropResumePoint, type ResumePoint, readResumePoint, writeResumePoint } from './verify-resume.ts'
import { openSource } from './verify-source.ts'

const PROGRESS_MS = 500
const SAVE_MS = 5000

export async function verifyLog(io: CommandIo<AuditConfig>): Promise<number> {
  const keys = readKeys(io)
  if (typeof keys === 'string') return refuse(io, 2, keys)
  const trusted = readCheckpoints(io, keys)
  if (typeof trusted === 'string') return refuse(io, 2, trusted)
  const [file] = io.args
  let source: Source
  try {
    source = await openSource(io, typeof file === 'string' ? file : undefined)
  } catch (error) {
    return refuse(io, 3, (error as Error).message)
  }
  try {
    const resume = typeof io.options.resume === 'string' ? resolve(io.cwd, io.options.resume) : undefined
    const from = resume === undefined ? undefined : readResumePoint(resume, source.name)
    if (typeof from === 'string') return refuse(io, 2, from)
    const shown = createProgress(io, source, resume, from)
    const verdict = await checkLog({ source, keys, trusted: trusted.checkpoints, signal: io.signal, from, onPage: shown.onPage })
    shown.end(verdict.kind === 'stopped')
    return report(io, source.name, verdict, trusted, from)
  } catch (error) {
    // A database that went away says nothing of what is stored.
    if ((error as { code?: unknown }).code !== 'store-unreadable') throw error
    return refuse(io, 3, (error as Error).message)
  } finally {
    await source.close()
  }
}

function refuse(io: CommandIo<AuditConfig>, code: number, why: string): number {
  io.err(`audit verify: ${why}\n`)
  return code
}

/** A string says why they prove nothing. */
function readCheckpoints(io: CommandIo<AuditConfig>, keys: readonly Trusted[]): TrustedNotes | string {
  const { checkpoint } = io.options
  if (typeof checkpoint !== 'string') return { checkpoints: [], unreadable: 0 }
  if (keys.length === 0) return '--checkpoint needs --key: the verifier that `mcpgw audit key` printed'
  try {
    const notes = readTrustedNotes(readFileSync(resolve(io.cwd, checkpoint), 'utf8'), keys)
    return notes.checkpoints.length > 0
      ? notes
      : `${checkpoint}: expected checkpoints signed by ${keys.map(one => one.name).join(' or ')}, found none`
  } catch (error) {
    return `${checkpoint}: ${(error as Error).message}`
  }
}

type OnPage = NonNullable<Parameters<typeof checkLog>[0]['onPage']>

/** Shows how far it is, and with `--resume` keeps it. */
function createProgress(
  io: CommandIo<AuditConfig>,
  { name, total }: Source,
  resume: string | undefined,
  from: ResumePoint | undefined,
): { onPage: OnPage; end(isStopped: boolean): void } {
  const began = io.clock.mono()
  const before = from?.progress.records ?? 0
  let shown = began
  let saved = began
  let save = (): void => {}
  return {
    onPage(verifier, cursor, signed) {
      const now = io.clock.mono()
      save = () => {
        if (resume !== undefined)
          writeResumePoint(resume, { version: 1, name, cursor, progress: verifier.progress(), met: [...signed.met] })
      }
      if (now - saved > SAVE_MS) {
        saved = now
        save()
      }
      if (!io.interactive || now - shown <= PROGRESS_MS) return
      shown = now
      const share = total === undefined || total === 0 ? '' : ` (${Math.floor((100 * verifier.records) / total)} %)`
      io.err(`\r${verifier.records} records${share}, ${Math.round(((verifier.records - before) / (now - began)) * 1000)}/s `)
    },
    end(isStopped) {
      if (isStopped) save()
      else if (resume !== undefined) dropResumePoint(resume)
    },
  }
}
