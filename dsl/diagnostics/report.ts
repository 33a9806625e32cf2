// What every format is made from: findings with their lines and columns, and the texts they stand in.
import type { Position, Source, Span } from '../span.ts'
import type { Severity } from './catalogue.ts'
import type { Diagnostic } from './diagnostic.ts'

export interface Report {
  readonly diagnostics: readonly Diagnostic[]
  /** Every text that was looked at, also those without a finding. */
  readonly sources: readonly Source[]
  /** The least severity that makes the check fail. */
  readonly failLevel: Severity
}

export interface Place {
  readonly file: string
  readonly from: Position
  readonly to: Position
}

const ranks: Readonly<Record<Severity, number>> = { error: 2, warning: 1, hint: 0 }

export function fails(severity: Severity, failLevel: Severity): boolean {
  return ranks[severity] >= ranks[failLevel]
}

/** Whether nothing is as bad as `failLevel`. */
export function isClean({ diagnostics, failLevel }: Pick<Report, 'diagnostics' | 'failLevel'>): boolean {
  return !diagnostics.some(one => fails(one.severity, failLevel))
}

/** In the order of the files, then of the text; what is said twice is said once. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[], sources: readonly Source[]): Diagnostic[] {
  const order = new Map(sources.map((source, at) => [source.file, at]))
  const place = (one: Diagnostic): number => order.get(one.span.file) ?? sources.length
  const seen = new Set<string>()
  return diagnostics
    .filter(({ code, message, span }) => {
      const key = JSON.stringify([code, message, span.file, span.start, span.end])
      return seen.has(key) ? false : seen.add(key)
    })
    .sort(
      (a, b) =>
        place(a) - place(b) ||
        a.span.start - b.span.start ||
        ranks[b.severity] - ranks[a.severity] ||
        a.span.end - b.span.end ||
        (a.code < b.code ? -1 : a.code > b.code ? 1 : 0),
    )
}

/** `2 errors, 1 warning`; empty where there is nothing. */
export function countFindings(diagnostics: readonly Diagnostic[]): string {
  return (['error', 'warning', 'hint'] as const)
    .map(severity => [severity, diagnostics.filter(one => one.severity === severity).length] as const)
    .flatMap(([severity, count]) => (count === 0 ? [] : [`${count} ${severity}${count === 1 ? '' : 's'}`]))
    .join(', ')
}

/** Lines and columns for many spans; each text is read once. */
export class Places {
  readonly #texts: ReadonlyMap<string, string>
  readonly #starts = new Map<string, readonly number[]>()

  constructor(sources: readonly Source[]) {
    this.#texts = new Map(sources.map(source => [source.file, source.text]))
  }

  of({ file, start, end }: Span): Place {
    return { file, from: this.#at(file, start), to: this.#at(file, Math.max(start, end)) }
  }

  /** Without its line break; undefined where the text is not at hand. */
  line(file: string, line: number): string | undefined {
    const text = this.#texts.get(file)
    const starts = this.#lineStarts(file)
    return text?.slice(starts[line - 1], starts[line] ?? text.length).replace(/[\r\n]+$/, '')
  }

  #at(file: string, offset: number): Position {
    const starts = this.#lineStarts(file)
    const within = Math.min(Math.max(offset, 0), this.#texts.get(file)?.length ?? 0)
    let low = 0
    let high = starts.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (starts[middle]! <= within) low = middle
      else high = middle
    }
    return { line: low + 1, column: within - starts[low]! + 1 }
  }

  #lineStarts(file: string): readonly number[] {
    const known = this.#starts.get(file)
    if (known !== undefined) return known
    const breaks = (this.#texts.get(file) ?? '').matchAll(/\r\n|\n|\r/g)
    const starts = [0, ...Array.from(breaks, found => found.index + found[0].length)]
    this.#starts.set(file, starts)
    return starts
  }
}
