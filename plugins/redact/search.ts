// What is looked for in a text, by everybody who looks: the scanner, the patterns of the config, and models that have answered before.
import { bySpan, type Finding, type Search, toFindings } from './finding.ts'
import type { Pattern } from './patterns.ts'
import { decodePercent, mayBePercent } from './percent.ts'
import type { Scanner } from './scanner.ts'

// A url within a url within a url.
const percentLevels = 2

/** What models found, by text. */
export type Foreseen = ReadonlyMap<string, readonly Finding[]>

export function createSearch(scanner: Scanner, patterns: readonly Pattern[], foreseen?: Foreseen): Search {
  function look(text: string, key: string): readonly Finding[] {
    const scanned = scanner.find(text, key)
    const found = scanned.spans.length === 0 ? none : toFindings(scanned)
    if (patterns.length === 0 && foreseen === undefined) return found
    const more = [...found, ...patterns.flatMap(pattern => pattern.findAll(text)), ...(foreseen?.get(text) ?? none)]
    return more.length > found.length ? more.sort(bySpan) : found
  }

  function decoded(text: string, key: string, levels: number): readonly Finding[] {
    const found = look(text, key)
    if (levels === 0 || !mayBePercent(text)) return found
    const plain = decodePercent(text)
    if (plain.text === text) return found
    const inside = decoded(plain.text, key, levels - 1)
    if (inside.length === 0) return found
    const { origin } = plain
    const moved = inside.map(one => {
      const start = origin[one.start]!
      const end = origin[one.end]!
      const isEncoded = text.slice(start, end).includes('%')
      return { ...one, start, end, ...(isEncoded && { percent: true as const }) }
    })
    return [...found, ...moved].sort(bySpan)
  }

  return {
    find: (text, key) => decoded(text, key, percentLevels),
    findInName: foreseen === undefined ? name => decoded(name, '', percentLevels) : createSearch(scanner, patterns).findInName,
  }
}

const none: readonly Finding[] = []
