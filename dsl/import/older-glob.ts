// Globs of the older policies: `*` is any run of characters. Whether two of them meet, and whether one holds the other.

export function matchesGlob(glob: string, text: string): boolean {
  // The last `*` and how far it has reached: never more than one step back.
  let at = 0
  let star = -1
  let reached = 0
  let i = 0
  while (i < text.length) {
    if (glob[at] === '*') {
      star = at++
      reached = i
    } else if (glob[at] === text[i]) {
      at++
      i++
    } else if (star !== -1) {
      at = star + 1
      i = ++reached
    } else return false
  }
  while (glob[at] === '*') at++
  return at === glob.length
}

/** Whether everything that `inner` matches, `outer` matches too. */
export function holds(outer: string, inner: string): boolean {
  // A character that no glob has stands for whatever the `*` of `inner` may be.
  return matchesGlob(outer, inner.replaceAll('*', '\u0000'))
}

/** Whether some text matches both. */
export function meet(a: string, b: string): boolean {
  const known = new Map<number, boolean>()
  const from = (i: number, j: number): boolean => {
    if (i === a.length) return /^\**$/.test(b.slice(j))
    if (j === b.length) return /^\**$/.test(a.slice(i))
    const key = i * (b.length + 1) + j
    const before = known.get(key)
    if (before !== undefined) return before
    // A `*` ends here, or takes one more character of the other.
    const found =
      a[i] === '*' || b[j] === '*'
        ? from(a[i] === '*' ? i + 1 : i, a[i] === '*' ? j : j + 1) || takesMore(i, j)
        : a[i] === b[j] && from(i + 1, j + 1)
    known.set(key, found)
    return found
  }
  const takesMore = (i: number, j: number): boolean => from(a[i] === '*' ? i : i + 1, a[i] === '*' ? j + 1 : j)
  return from(0, 0)
}

/** Any run of stars means what one means. */
export function isEverything(glob: string): boolean {
  return /^\*+$/.test(glob)
}
