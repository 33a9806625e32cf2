// The series of one metric by their label values. Values come from callers, so their number is capped: the rest is `other`.
import type { Labels } from './text.ts'

export interface Series<C> {
  at(values?: Labels): C
  all(): Iterable<{ readonly labels: Labels; readonly cell: C }>
}

export const OTHER = 'other'

/** Different values that one label keeps, and series in all. */
export interface Caps {
  readonly values: number
  readonly series: number
}

export function createSeries<C>(labels: readonly string[], caps: Caps, make: () => C): Series<C> {
  const series = new Map<string, { labels: Labels; cell: C }>()
  const seen = labels.map(() => new Set<string>())

  /** The value itself while there is room for it. A label that was not declared is ignored, one that is missing is empty. */
  function bound(i: number, text: string): string {
    const known = seen[i]!
    if (known.has(text)) return text
    if (known.size >= caps.values || text.length > 128) return OTHER
    known.add(text)
    return text
  }

  function open(key: string, texts: readonly string[]): C {
    const cell = make()
    series.set(key, { labels: Object.fromEntries(labels.map((label, i) => [label, texts[i]!])), cell })
    return cell
  }

  // Without labels there is one series, and it is there from the start.
  if (labels.length === 0) {
    const cell = open('', [])
    return { at: () => cell, all: () => series.values() }
  }

  const only = labels.length === 1 ? labels[0] : undefined

  return {
    at(values = {}) {
      // What counts each call has one label: its series is known by the value alone.
      const counted = only === undefined ? undefined : series.get(values[only] ?? '')
      if (counted !== undefined) return counted.cell
      const texts = labels.map((label, i) => bound(i, values[label] ?? ''))
      const key = texts.join('\u0000')
      const known = series.get(key)
      if (known !== undefined) return known.cell
      if (series.size < caps.series) return open(key, texts)
      const others = labels.map(() => OTHER)
      const rest = others.join('\u0000')
      return series.get(rest)?.cell ?? open(rest, others)
    },
    all: () => series.values(),
  }
}
