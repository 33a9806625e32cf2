// How far a verification is: shown on a terminal, and with `--resume` kept in a file.
import type { CommandIo } from 'mcpgw/plugin'
import type { checkLog, Source } from '../check-log.ts'
import type { AuditConfig } from '../config.ts'
import { dropResumePoint, type ResumePoint, writeResumePoint } from './verify-resume.ts'

const PROGRESS_MS = 500
const SAVE_MS = 5000

type OnPage = NonNullable<Parameters<typeof checkLog>[0]['onPage']>

/** `resume`: the file to keep it in. */
export function createProgress(
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
