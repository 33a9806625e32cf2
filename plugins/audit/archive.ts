// Whether an exported log holds exactly the records that are to be taken out: then nothing is lost with them.
import { type CheckOptions, checkLog, type Source } from './check-log.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { Trusted } from './note.ts'
import type { GivenRecord } from './record-form.ts'
import type { Segment } from './segments.ts'

/** Undefined where it does; a string says what it lacks. `archive` verifies from end to end, also against what was signed of the segments. */
export async function findLack(
  archive: Source,
  segments: readonly Segment[],
  origin: string,
  keys: readonly Trusted[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const wanted = new Map(segments.map(one => [placeOf(one.stream, one.state.size), one]))
  const from = new Map<string, number>()
  for (const { stream, from: start } of segments) from.set(stream, Math.min(start, from.get(stream) ?? start))
  const trusted: readonly Checkpoint[] = segments.map(({ state, signedAt }) => ({ origin, at: signedAt, streams: [state] }))
  const seen = new Map<string, number>()
  const look = ({ body, hash }: GivenRecord): void => {
    const { stream, seq } = JSON.parse(Buffer.from(body).toString()) as { stream: string; seq: number }
    const start = from.get(stream)
    if (start === undefined || seq <= start) return
    seen.set(stream, (seen.get(stream) ?? 0) + 1)
    const place = placeOf(stream, seq)
    // Each link holds all before it: with the last one all are the same.
    if (wanted.get(place)?.link === Buffer.from(hash).toString('hex')) wanted.delete(place)
  }
  const pages: Source['pages'] = async function* (stop, cursor) {
    for await (const page of archive.pages(stop, cursor)) {
      for (const record of page.records) look(record)
      yield page
    }
  }
  const options: CheckOptions = { source: { ...archive, pages }, keys, trusted, signal }
  const { kind, broken } = await checkLog(options)
  if (broken !== undefined) return `it is broken at ${broken.stream}:${broken.seq}: ${broken.what}`
  if (kind !== 'proven') return 'it does not reach what was signed of these records'
  const [missing] = wanted.values()
  if (missing !== undefined) return `record ${placeOf(missing.stream, missing.state.size)} is not in it as it is in the log`
  for (const [stream, start] of from) {
    const through = Math.max(...segments.filter(one => one.stream === stream).map(one => one.state.size))
    if ((seen.get(stream) ?? 0) < through - start) return `it does not have all records ${start + 1} to ${through} of stream ${stream}`
  }
  return undefined
}

const placeOf = (stream: string, seq: number): string => `${stream}:${seq}`
