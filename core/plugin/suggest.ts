// "Did you mean": the nearest of some names, for unknown keys and unknown commands.

/** The candidate within two edits (one for short names), or undefined. */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  return nearest(word, candidates)[0]
}

/** All candidates within two edits (one for short names), the nearest first. */
export function nearest(word: string, candidates: Iterable<string>): string[] {
  const bound = word.length <= 4 ? 1 : 2
  return [...candidates]
    .map(candidate => ({ candidate, edits: countEdits(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ edits }) => edits <= bound)
    .toSorted((a, b) => a.edits - b.edits)
    .map(({ candidate }) => candidate)
}

// Damerau-Levenshtein (adjacent swaps count one) on names of at most 64 characters.
function countEdits(a: string, b: string): number {
  if (Math.max(a.length, b.length) > 64) return Number.POSITIVE_INFINITY
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1)
      row.push(cost)
    }
    before = previous
    previous = row
  }
  return previous[b.length]!
}
