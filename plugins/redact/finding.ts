// One thing found in a text, whoever found it, and what becomes of it.
import { type Action, actions, type Range } from './detector.ts'
import type { Found } from './scanner.ts'

/** UTF-16 offsets into the text as it came. */
export interface Finding extends Range {
  /** Counter label and, in capitals, what may replace it. */
  readonly id: string
  readonly action: Action
  /** The value in plain characters: undisguised, decoded. */
  readonly value: string
  /** It stands percent-encoded: so does its replacement. */
  readonly percent?: true
  /** Text that was found inside an encoded one, masked and encoded again; `counts` tells what was found there. */
  readonly inside?: { readonly text: string; readonly counts: ReadonlyMap<string, number> }
}

/** Looks for values in a decoded text; `key` is the name of the member that holds it. Sorted by start; may overlap. */
export interface Search {
  find(text: string, key: string): readonly Finding[]
  /** The same in the name of a member; models are not asked of names. */
  findInName(name: string): readonly Finding[]
}

export function toFindings({ spans, text, origin }: Found): readonly Finding[] {
  return spans.map(({ start, end, detector: { id, action } }) => ({
    start: origin?.[start] ?? start,
    end: origin?.[end] ?? end,
    id,
    action,
    value: text.slice(start, end),
  }))
}

export function bySpan(a: Range, b: Range): number {
  return a.start - b.start || b.end - a.end
}

export function strictest(a: Action, b: Action): Action {
  return actions.indexOf(a) < actions.indexOf(b) ? b : a
}

/** `github-token` -> `[GITHUB_TOKEN]`. */
export function labelOf(id: string): string {
  let label = labels.get(id)
  if (label === undefined) {
    label = `[${id.toUpperCase().replaceAll('-', '_')}]`
    if (labels.size < mostLabels) labels.set(id, label)
  }
  return label
}

// Ids of models may be any.
const mostLabels = 1000
const labels = new Map<string, string>()
