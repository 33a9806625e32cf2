// Patterns of names in prices and budgets: `*` stands for any text, everything else for itself.

/** Compiled once. */
export function compileGlob(pattern: string): (name: string) => boolean {
  if (!pattern.includes('*')) return name => name === pattern
  const parts = pattern.split('*')
  const [first = ''] = parts
  const last = parts.at(-1) ?? ''
  const middle = parts.slice(1, -1)
  return name => {
    if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false
    let from = first.length
    for (const part of middle) {
      const at = name.indexOf(part, from)
      if (at < 0) return false
      from = at + part.length
    }
    return from <= name.length - last.length
  }
}
