// `audit verify`: 0 proven by a checkpoint that was kept elsewhere, 1 broken, 3 not readable, 4 consistent, though nothing proves that it is complete.
import { resolve } from 'node:path'
import type { CommandIo } from 'mcpgw/plugin'
import { checkLog, type Source, type Verdict } from '../check-log.ts'
import type { AuditConfig } from '../config.ts'
import { readCheckpoints, readKeys } from './keys.ts'
import { describeCommand } from './read.ts'
import { createProgress } from './verify-progress.ts'
import { describeFinding, report } from './verify-report.ts'
import { readResumePoint } from './verify-resume.ts'
import { openSource } from './verify-source.ts'

export async function verifyLog(io: CommandIo<AuditConfig>): Promise<number> {
  const keys = readKeys(io)
  if (typeof keys === 'string') return refuse(io, 2, keys)
  const trusted = readCheckpoints(io, keys)
  if (typeof trusted === 'string') return refuse(io, 2, trusted)
  const file = typeof io.args[0] === 'string' ? io.args[0] : undefined
  let source: Source
  try {
    source = await openSource(io, file)
  } catch (error) {
    return refuse(io, 3, (error as Error).message)
  }
  try {
    const resume = typeof io.options.resume === 'string' ? resolve(io.cwd, io.options.resume) : undefined
    const from = resume === undefined ? undefined : readResumePoint(resume, source.name)
    if (typeof from === 'string') return refuse(io, 2, from)
    const check = async (): Promise<Verdict> => {
      const shown = createProgress(io, source, resume, from)
      const found = await checkLog({ source, keys, trusted: trusted.checkpoints, signal: io.signal, from, onPage: shown.onPage })
      shown.end(found.kind === 'stopped')
      return found
    }
    let verdict = await check()
    // What goes while the log is read looks as if it were missing. A moment of the log that is held for so long would keep its files growing: so only then.
    if (verdict.kind === 'broken' && (await source.isPruned())) {
      io.err('audit verify: records are taken out of the log meanwhile; it is verified once more, as it is at one moment\n')
      const pruned = source
      source = await openSource(io, file, 'snapshot')
      await pruned.close()
      verdict = await check()
    }
    const code = report(io, source.name, verdict, trusted, from)
    const isLog = file === undefined || source.name === io.stores.resolve(io.config.path)
    if (isLog && !(await recordVerification(io, verdict, code)))
      io.err('audit verify: this run could not be put on record: the config must name the plugin audit, and its log must take records\n')
    return code
  } catch (error) {
    // A database that went away says nothing of what is stored.
    if ((error as { code?: unknown }).code !== 'store-unreadable') throw error
    return refuse(io, 3, (error as Error).message)
  } finally {
    await source.close()
  }
}

function recordVerification(io: CommandIo<AuditConfig>, { kind, broken, records }: Verdict, code: number): Promise<boolean> {
  const what = broken === undefined ? {} : { broken: describeFinding(broken) }
  const detail = { ...describeCommand(io, 'audit verify'), verdict: kind, ...what, records, exitCode: code }
  return io.record({ type: 'log.verify', success: kind !== 'broken' && kind !== 'stopped', detail })
}

function refuse(io: CommandIo<AuditConfig>, code: number, why: string): number {
  io.err(`audit verify: ${why}\n`)
  return code
}
