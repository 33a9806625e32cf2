// What `audit verify` says of a log, and its exit code.
import { type CommandIo, printable } from 'mcpgw/plugin'
import type { Verdict } from '../check-log.ts'
import type { AuditConfig } from '../config.ts'
import type { TrustedNotes } from '../trusted-notes.ts'
import type { Finding } from '../verification.ts'
import type { ResumePoint } from './verify-resume.ts'

export const CODES: { readonly [kind in Verdict['kind']]: number } = { proven: 0, broken: 1, stopped: 3, consistent: 4, empty: 4 }

export function report(
  io: CommandIo<AuditConfig>,
  name: string,
  verdict: Verdict,
  trusted: TrustedNotes,
  from: ResumePoint | undefined,
): number {
  io.out(io.json ? toJson(name, verdict) : toText(verdict))
  for (const line of hints(verdict, trusted, from)) io.err(`${line}\n`)
  return CODES[verdict.kind]
}

function toJson(file: string, { kind, broken, upTo, ...counts }: Verdict): string {
  const document = {
    verdict: kind,
    completeness: kind === 'proven' ? 'proven' : 'not proven',
    file,
    ...counts,
    // For other commands.
    covered: undefined,
    checkpoints: counts.checkpoints ?? null,
    upTo: upTo === undefined ? null : new Date(upTo.at).toISOString(),
    broken: broken ?? null,
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

function toText(verdict: Verdict): string {
  const { kind, broken, upTo, records, streams, proven } = verdict
  if (broken !== undefined)
    return `${describeFinding(broken)}\n${plural(records, 'record')} before it ${records === 1 ? 'is' : 'are'} consistent\n`
  if (kind === 'empty') return 'EMPTY: no records, so nothing is proven\n'
  const found = [`${plural(records, 'record')} in ${plural(streams, 'stream')}`, ...notes(verdict)].join(', ')
  if (upTo === undefined)
    return `${kind === 'stopped' ? 'STOPPED, nothing is wrong so far' : 'CONSISTENT, completeness not proven'}: ${found}\n`
  const rest = records - proven
  const after = rest === 0 ? '' : `; ${plural(rest, 'record')} after it ${rest === 1 ? 'is' : 'are'} only consistent`
  return `PROVEN up to the checkpoint of ${new Date(upTo.at).toISOString()}: ${found}${after}\n`
}

export function describeFinding({ n, stream, seq, what }: Finding): string {
  const place = stream === '?' ? '' : `${printable(stream)}:${seq}`
  const where = n === undefined ? place : `${n}${place === '' ? '' : ` (${place})`}`
  return `BROKEN${where === '' ? '' : ` at record ${where}`}: ${printable(what)}`
}

function notes({ openIntents, unannounced, clockSteps, retired, checkpoints }: Verdict): string[] {
  return [
    checkpoints === undefined || checkpoints === 0 ? '' : `${plural(checkpoints, 'checkpoint')} of its own`,
    retired > 0 ? `${plural(retired, 'record')} taken out by tombstones` : '',
    openIntents > 0 ? `${plural(openIntents, 'call')} without an outcome` : '',
    unannounced > 0 ? `${plural(unannounced, 'outcome')} without an intent` : '',
    clockSteps > 0 ? `${plural(clockSteps, 'step')} of the clock` : '',
  ].filter(Boolean)
}

function hints({ kind, checkpoints }: Verdict, { checkpoints: given, unreadable }: TrustedNotes, from: ResumePoint | undefined): string[] {
  const missing = kind === 'consistent' || kind === 'empty'
  return [
    from === undefined ? '' : `The first ${plural(from.progress.records, 'record')} were checked by the run that was stopped.`,
    unreadable > 0 ? `${plural(unreadable, 'note')} of --checkpoint could not be used: cut off, or signed by another key.` : '',
    missing && checkpoints === undefined ? 'Its own checkpoints were not checked: there is no verifier; give it by --key.' : '',
    missing && given.length > 0 ? 'No checkpoint of --checkpoint is fully covered by what is left of this log.' : '',
    missing && given.length === 0
      ? 'Records cut from the end leave no trace in the log itself; only a checkpoint kept elsewhere can show that: --checkpoint FILE.'
      : '',
  ].filter(Boolean)
}

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`
