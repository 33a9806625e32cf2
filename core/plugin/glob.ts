// Patterns of names in settings, the same in every plugin: `*` stands for any text, everything else for itself.

/** Compiled once; an absent pattern fits every name. Takes time in proportion to the name for each part of the pattern. */
export function compileGlob(pattern = '*'): (name: string) => boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return name => name === pattern
  return name => {
    const limit = name.length - last.length
    if (limit < first.length || !name.startsWith(first) || !name.endsWith(last)) return false
    let from = first.length
    for (const part of rest) {
      const at = name.indexOf(part, from)
      if (at < 0) return false
      from = at + part.length
    }
    return from <= limit
  }
}
