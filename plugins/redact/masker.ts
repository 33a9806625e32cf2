// Masks what the scanner finds in one string, in the original text.
import type { Action, Span } from './detector.ts'
import type { Found, Scanner } from './scanner.ts'

/** Findings by detector id. */
export type Tally = Map<string, number>

export function count(tally: Tally, id: string, by = 1): void {
  tally.set(id, (tally.get(id) ?? 0) + by)
}

const actions: Readonly<Record<Action, (found: string, id: string) => string>> = {
  mask: maskButLast,
  replace: (_found, id) => labelOf(id),
}

const kept = 4

function maskButLast(found: string): string {
  let left = (found.match(/[A-Za-z0-9]/g)?.length ?? 0) - kept
  return found.replace(/[A-Za-z0-9]/g, character => (left-- > 0 ? '*' : character))
}

/** `github-token` -> `[GITHUB_TOKEN]`. */
export function labelOf(id: string): string {
  return `[${id.toUpperCase().replaceAll('-', '_')}]`
}

/** The text without its findings; the same string where there are none. `key` is the name of the member that holds it. */
export function maskText(scanner: Scanner, text: string, key: string, tally: Tally): string {
  const found = scanner.find(text, key)
  return found.spans.length === 0 ? text : replaceSpans(text, found, tally)
}

function replaceSpans(text: string, found: Found, tally: Tally): string {
  let out = ''
  let done = 0
  for (const { start, end, replacement } of plan(found, tally)) {
    const from = found.origin?.[start] ?? start
    const to = found.origin?.[end] ?? end
    out += text.slice(done, from) + replacement
    done = to
  }
  return out + text.slice(done)
}

export interface Replacement {
  /** Offsets into `found.text`. */
  readonly start: number
  readonly end: number
  readonly replacement: string
}

/** What stands in place of each finding; overlapping ones become one. */
export function plan({ spans, text }: Found, tally: Tally): readonly Replacement[] {
  const replacements: Replacement[] = []
  for (let i = 0; i < spans.length; ) {
    const { start } = spans[i]!
    let end = spans[i]!.end
    let widest = spans[i]!
    let mixed = false
    let next = i + 1
    for (; next < spans.length && spans[next]!.start < end; next++) {
      const other = spans[next]!
      end = Math.max(end, other.end)
      mixed ||= other.detector.id !== widest.detector.id
      if (lengthOf(other) > lengthOf(widest)) widest = other
    }
    const { id, action } = widest.detector
    count(tally, id)
    // What two detectors share is replaced whole: the last four characters of one may be the secret part of the other.
    replacements.push({ start, end, replacement: actions[mixed ? 'replace' : action](text.slice(start, end), id) })
    i = next
  }
  return replacements
}

function lengthOf({ start, end }: Span): number {
  return end - start
}
