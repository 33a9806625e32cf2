// How much of a log is proven: what was signed and kept elsewhere, and what the records refer to that it covers.
import type { Reference } from './references.ts'

/** `signed`: sizes of streams. `refersTo`: what the first record of a stream refers to. Gives the sizes that are covered; not more of a stream than there is. */
export function coverageOf(
  signed: ReadonlyMap<string, number>,
  refersTo: (stream: string) => readonly Reference[] | undefined,
): ReadonlyMap<string, number> {
  const covered = new Map<string, number>()
  const queue: [string, number][] = [...signed]
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const [stream, size] = next
    const before = covered.get(stream) ?? 0
    const refers = refersTo(stream)
    if (refers === undefined || size <= before) continue
    covered.set(stream, size)
    if (before === 0) for (const one of refers) queue.push([one.stream, one.seq ?? 0])
  }
  return covered
}
