// SQL as words, names and signs; anything that two databases would read differently makes the whole text unreadable.

export type SqlToken =
  /** Not quoted, ASCII, in lower case. */
  | { readonly kind: 'word'; readonly text: string }
  /** Quoted, in lower case. */
  | { readonly kind: 'name'; readonly text: string }
  | { readonly kind: 'sign'; readonly text: string }

const longest = 65_536
const piece =
  /(?<space>[ \t\r\n]+)|(?<string>'(?:[^'\\]|'')*'(?!'))|(?<name>"(?:[^"\\]|"")+"|`[^`]+`|\[[A-Za-z_][A-Za-z0-9_ ]*\])|(?<word>[A-Za-z_][A-Za-z0-9_$]*)|(?<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)|(?<placeholder>\$\d+|\?|[:@][A-Za-z_]\w*)|(?<sign>::|\|\||<=|>=|<>|!=|->>?|[-+*/%<>=(),.;&|^~[\]])/uy

/** Comments make a text unreadable: what one database skips, another runs. */
export function tokensOf(text: string): readonly SqlToken[] | undefined {
  if (text.length > longest || text.includes('\0') || /--|\/\*|\*\/|#|\\/.test(text)) return undefined
  const tokens: SqlToken[] = []
  let at = 0
  while (at < text.length) {
    piece.lastIndex = at
    const found = piece.exec(text)?.groups
    if (found === undefined) return undefined
    at = piece.lastIndex
    const { word, name, sign } = found
    // A letter before a quote gives it another meaning: E'..', U&'..', $tag$.
    if (word !== undefined && /['"$&]/.test(text[at] ?? '')) return undefined
    if (word !== undefined) tokens.push({ kind: 'word', text: word.toLowerCase() })
    else if (name !== undefined) tokens.push({ kind: 'name', text: name.slice(1, -1).toLowerCase() })
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign })
  }
  return tokens
}
