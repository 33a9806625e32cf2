// Patterns over names and uris: anchored, everything but `*` literal, in time bound by the product of the lengths; never a RegExp.

export type Matcher = (text: string) => boolean

export function literally(expected: string): Matcher {
  return text => text === expected
}

/** `*` is any run of characters other than `/`, also none. */
export function nameGlob(pattern: string): Matcher {
  const parts = pattern.split('*')
  if (parts.length === 1) return literally(pattern)
  const first = parts[0]!
  const last = parts.at(-1)!
  const between = parts.slice(1, -1).filter(part => part !== '')
  const shortest = first.length + last.length
  return text => {
    // Invariant: an unquoted pattern has no `/`, so that a text with one can only be spanned by a `*`.
    if (text.length < shortest || !text.startsWith(first) || !text.endsWith(last) || text.includes('/')) return false
    let at = first.length
    const end = text.length - last.length
    for (const part of between) {
      const found = text.indexOf(part, at)
      if (found < 0) return false
      at = found + part.length
    }
    return at <= end
  }
}

/** `*` stays in a segment, `**` is anything, both also nothing. */
export function uriGlob(pattern: string): Matcher {
  const star = pattern.indexOf('*')
  if (star < 0) return literally(pattern)
  // By far the most frequent form: everything below a place.
  if (star === pattern.length - 2 && pattern.endsWith('**')) {
    const prefix = pattern.slice(0, -2)
    return text => text.startsWith(prefix)
  }
  const tokens = tokensOf(pattern)
  return text => run(tokens, text)
}

type Token = string | typeof WITHIN | typeof ANYTHING
const WITHIN = 1
const ANYTHING = 2

function tokensOf(pattern: string): readonly Token[] {
  return (pattern.match(/\*\*+|\*|[^*]/g) ?? []).map(part => (part === '*' ? WITHIN : part.startsWith('*') ? ANYTHING : part))
}

/** All states at once: which prefixes of the pattern match what has been read. */
function run(tokens: readonly Token[], text: string): boolean {
  let reached = new Uint8Array(tokens.length + 1)
  let next = new Uint8Array(tokens.length + 1)
  reached[0] = 1
  skipStars(tokens, reached)
  for (let i = 0; i < text.length; i++) {
    const unit = text[i]!
    next.fill(0)
    for (let state = 0; state < tokens.length; state++) {
      if (reached[state] === 0) continue
      const token = tokens[state]!
      if (token === ANYTHING || (token === WITHIN && unit !== '/')) next[state] = 1
      else if (token === unit) next[state + 1] = 1
    }
    skipStars(tokens, next)
    ;[reached, next] = [next, reached]
  }
  return reached[tokens.length] === 1
}

function skipStars(tokens: readonly Token[], states: Uint8Array): void {
  for (let state = 0; state < tokens.length; state++) if (states[state] === 1 && typeof tokens[state] === 'number') states[state + 1] = 1
}
