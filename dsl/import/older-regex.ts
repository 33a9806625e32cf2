// A regular expression of the older gateway (JavaScript's) as one of RE2 that matches the same, or the reason why there is none.

export type Translated = { readonly pattern: string } | { readonly problem: string }

const NO_LINE_END = '[^\\n\\r\\x{2028}\\x{2029}]'
const SPACES = '\\t\\n\\v\\f\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}'
const MOST_REPEATS = 1000

export function toRe2(source: string): Translated {
  try {
    new RegExp(source)
  } catch {
    return { problem: `\`${source}\` is no regular expression` }
  }
  let pattern = ''
  let i = 0
  const differs = (part: string): Translated => ({ problem: `\`${part}\` in the pattern \`${source}\` cannot be kept in RE2` })
  while (i < source.length) {
    const rest = source.slice(i)
    const char = source[i]!
    let token: Token | undefined
    if (char === '\\') token = readEscape(rest)
    else if (char === '[') token = readClass(rest)
    else if (char === '(') token = readGroup(rest)
    else if (char === '{') token = readBrace(rest)
    else if (char === '.') token = { length: 1, text: NO_LINE_END }
    else token = { length: 1, text: char === '}' || char === ']' ? `\\${char}` : char }
    if ('differs' in token) return differs(token.differs)
    pattern += token.text
    i += token.length
  }
  return { pattern }
}

type Token = { readonly length: number; readonly text: string } | { readonly differs: string }

function readGroup(rest: string): Token {
  if (!rest.startsWith('(?')) return { length: 1, text: '(' }
  if (rest.startsWith('(?:')) return { length: 3, text: '(?:' }
  const named = /^\(\?<[A-Za-z_$][\w$]*>/.exec(rest)?.[0]
  return named === undefined ? { differs: rest.slice(0, 4) } : { length: named.length, text: '(' }
}

function readBrace(rest: string): Token {
  const counted = /^\{(\d+)(,(\d*))?\}/.exec(rest)
  if (counted === null) return { length: 1, text: '\\{' }
  const tooMany = [counted[1], counted[3]].some(one => Number(one ?? 0) > MOST_REPEATS)
  return tooMany ? { differs: counted[0] } : { length: counted[0].length, text: counted[0] }
}

function readEscape(rest: string): Token {
  const common = readCommonEscape(rest)
  if (common !== undefined) return common
  const letter = rest[1] ?? ''
  if (letter === 's') return { length: 2, text: `[${SPACES}]` }
  if (letter === 'S') return { length: 2, text: `[^${SPACES}]` }
  return 'bB'.includes(letter) ? { length: 2, text: rest.slice(0, 2) } : { differs: rest.slice(0, 2) }
}

// What means the same within a class and outside.
function readCommonEscape(rest: string): Token | undefined {
  const letter = rest[1] ?? ''
  if (letter !== '' && 'dDwWtnrfv'.includes(letter)) return { length: 2, text: rest.slice(0, 2) }
  const hex = /^\\x([0-9a-fA-F]{2})|^\\u([0-9a-fA-F]{4})/.exec(rest)
  if (hex !== null) {
    const code = Number.parseInt(hex[1] ?? hex[2]!, 16)
    return code >= 0xd800 && code <= 0xdfff ? { differs: hex[0] } : { length: hex[0].length, text: `\\x{${code.toString(16)}}` }
  }
  if (/^\\0(?!\d)/.test(rest)) return { length: 2, text: '\\x{0}' }
  return /^\\[!-/:-@[-`{-~ ]/.test(rest) ? { length: 2, text: letter === ' ' ? ' ' : `\\${letter}` } : undefined
}

function readClass(rest: string): Token {
  const negated = rest[1] === '^'
  let text = negated ? '[^' : '['
  let i = negated ? 2 : 1
  // `[]` and `[^]` are nothing and everything in JavaScript.
  if (rest[i] === ']') return { differs: rest.slice(0, i + 1) }
  let wasSet = false
  for (;;) {
    const char = rest[i]!
    if (char === ']') return { length: i + 1, text: `${text}]` }
    const here = rest.slice(i)
    const isSet = /^\\[dDwWsS]/.test(here)
    if (char === '-' && rest[i + 1] !== ']' && text !== '[' && text !== '[^' && (wasSet || /^-\\[dDwWsS]/.test(here)))
      return { differs: here.slice(0, 3) }
    const token = readInClass(here)
    if ('differs' in token) return token
    text += token.text
    i += token.length
    wasSet = isSet
  }
}

function readInClass(here: string): Token {
  if (here[0] === '\\') {
    const common = readCommonEscape(here)
    if (common !== undefined) return common
    if (here[1] === 's') return { length: 2, text: SPACES }
    return here[1] === 'b' ? { length: 2, text: '\\x{8}' } : { differs: here.slice(0, 2) }
  }
  // Two halves of one character are two members in JavaScript.
  if (/^[\ud800-\udfff]/.test(here)) return { differs: here.slice(0, 2) }
  return { length: 1, text: here[0] === '[' ? '\\[' : here[0]! }
}
