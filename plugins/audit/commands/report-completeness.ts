// What proves that a period is all there: the verification of the whole log, and whether what was kept elsewhere reaches over the period.
import { open } from 'node:fs/promises'
import { nameOf } from '../anchor-places.ts'
import type { AnchorConfig } from '../anchor-settings.ts'
import type { Verdict } from '../check-log.ts'
import { rootTextOf } from '../checkpoint.ts'
import { openCheckpoint } from '../checkpoint-row.ts'
import type { Trusted } from '../note.ts'
import type { LogReader } from '../store/log-store.ts'
import type { StreamCourse } from './report-course.ts'
import type { Period } from './report-period.ts'
import { describeFinding } from './verify-report.ts'

export interface Completeness {
  /** Of the whole log, as of `audit verify`. */
  readonly verdict: Verdict['kind']
  /** Of the period: `proven` where nothing of it is missing and nothing of it was changed. */
  readonly period: 'proven' | 'not proven' | 'broken'
  /** What the period lacks to be proven. */
  readonly why: readonly string[]
  /** The first bad record. */
  readonly broken: string | null
  /** ISO 8601: of the newest checkpoint that was kept elsewhere and that the log fits. */
  readonly upTo: string | null
  /** Of the whole log. */
  readonly records: number
  readonly proven: number
  readonly checkpoints: number | null
  readonly retired: number
  readonly unannounced: number
}

export async function judge(
  { from, to }: Period,
  verdict: Verdict,
  streams: readonly StreamCourse[],
  given: number,
  reader: LogReader,
): Promise<Completeness> {
  const { kind, broken, upTo, records, proven, checkpoints = null, retired, unannounced } = verdict
  const bare = streams.reduce((sum, one) => sum + one.records - one.proven, 0)
  const gone = await mayBeGone(from, reader)
  const why = [
    kind === 'stopped' ? 'the verification was stopped' : '',
    kind === 'empty' ? 'the log is empty' : '',
    (kind === 'consistent' || kind === 'empty') && given === 0 ? 'no checkpoint was given that was kept elsewhere: --checkpoint FILE' : '',
    (kind === 'consistent' || kind === 'empty') && given > 0
      ? 'no checkpoint of --checkpoint is fully covered by what is left of this log'
      : '',
    upTo !== undefined && upTo.at < to ? 'the newest checkpoint that was kept elsewhere was signed before the end of the period' : '',
    upTo !== undefined && bare > 0 ? `${bare} of the records of the period came after it` : '',
    gone > 0 ? `of ${gone} streams the beginning was taken out by tombstones and may be of the period: see what was exported before` : '',
  ].filter(Boolean)
  return {
    verdict: kind,
    period: broken !== undefined ? 'broken' : kind === 'proven' && why.length === 0 ? 'proven' : 'not proven',
    why,
    broken: broken === undefined ? null : describeFinding(broken),
    upTo: upTo === undefined ? null : new Date(upTo.at).toISOString(),
    records,
    proven,
    checkpoints,
    retired,
    unannounced,
  }
}

/** Streams of which records were taken out that may be of the time after `from`. */
async function mayBeGone(from: number, reader: LogReader): Promise<number> {
  let count = 0
  for (const { stream, through, at } of await reader.tombstones()) {
    if (at < from) continue
    const next = await reader.find(stream, through + 1)
    if (next === undefined || next.at > from) count += 1
  }
  return count
}

export interface Newest {
  /** ISO 8601. */
  readonly at: string
  /** Of the tree over all of its streams, base64; as in its note. */
  readonly root: string
  readonly streams: number
  readonly anchors: readonly Anchored[]
}
export interface Anchored {
  readonly place: string
  /** `unknown`: it is not for this command to ask there. */
  readonly state: 'anchored' | 'not anchored' | 'unreadable' | 'unknown'
}

/** The newest checkpoint of the log itself; null where there is none that a trusted key signed. */
export async function findNewest(
  reader: LogReader,
  keys: readonly Trusted[],
  anchors: readonly AnchorConfig[],
  resolve: (path: string) => string,
): Promise<Newest | null> {
  let note = ''
  for await (const page of reader.checkpoints()) note = page.at(-1)!.note
  const checkpoint = openCheckpoint(note, keys)
  if (checkpoint === undefined) return null
  return {
    at: new Date(checkpoint.at).toISOString(),
    root: rootTextOf(checkpoint),
    streams: checkpoint.streams.length,
    anchors: await Promise.all(
      anchors.map(async one =>
        'file' in one
          ? { place: resolve(one.file), state: await lookIn(resolve(one.file), note) }
          : { place: nameOf(one), state: 'unknown' as const },
      ),
    ),
  }
}

/** Notes are appended, so the newest is at the end. */
const TAIL = 1 << 20

async function lookIn(path: string, note: string): Promise<Anchored['state']> {
  try {
    const file = await open(path, 'r')
    try {
      const { size } = await file.stat()
      const tail = Buffer.alloc(Math.min(size, TAIL))
      await file.read(tail, 0, tail.length, size - tail.length)
      return tail.includes(note) ? 'anchored' : 'not anchored'
    } finally {
      await file.close()
    }
  } catch {
    return 'unreadable'
  }
}
