// Where a `{...}` of CEL or JSON ends. What is inside is read by others; here only strings, comments and braces are known.

export interface Extent {
  /** Behind the closing brace, or where an unclosed slice is given up. */
  readonly end: number
  readonly closed: boolean
}

const TOP_LEVEL = '(?:policy|let|targets|shadow|allow|deny|require|test)'
const CLAUSE = '(?:who|call|read|prompt|method|when|unless|after|then|because|expires)'
const TEST_CLAUSE = '(?:as|given|at|from|call|read|prompt|method|expect)'

/** A word beside a word is no CEL, but for `in`: a line that begins so belongs to the policy, and the slice was not closed before it. */
const BEHIND_CEL = new RegExp(`(?:${TOP_LEVEL}|[ \\t]+${CLAUSE})[ \\t]+(?!in[ \\t(\\[])[A-Za-z_"@{0-9]`, 'y')
/** JSON has no words of these. */
const BEHIND_JSON = new RegExp(`(?:${TOP_LEVEL}|[ \\t]+${TEST_CLAUSE})[ \\t{]`, 'y')
const NEXT_ITEM = new RegExp(`(?<=[\\r\\n])${TOP_LEVEL}(?![A-Za-z0-9_.-])`, 'g')

const isAt = (pattern: RegExp, text: string, offset: number): boolean => {
  pattern.lastIndex = offset
  return pattern.test(text)
}

/** `open` is the offset of the brace. */
export function findCelEnd(text: string, open: number): Extent {
  return findEnd(text, open, skipCelString, BEHIND_CEL, true)
}

export function findJsonEnd(text: string, open: number): Extent {
  return findEnd(text, open, skipJsonString, BEHIND_JSON, false)
}

function findEnd(
  text: string,
  open: number,
  skipString: (text: string, at: number) => number,
  behind: RegExp,
  hasComments: boolean,
): Extent {
  let depth = 0
  for (let i = open; i < text.length; ) {
    const unit = text.charCodeAt(i)
    if (unit === 34 || unit === 39) {
      i = skipString(text, i)
      continue
    }
    if (unit === 123) depth++
    else if (unit === 125 && --depth === 0) return { end: i + 1, closed: true }
    else if (unit === 10 || unit === 13) {
      if (isAt(behind, text, i + 1)) return { end: i + 1, closed: false }
    } else if (hasComments && unit === 47 && text.charCodeAt(i + 1) === 47) {
      i = lineEnd(text, i)
      continue
    }
    i++
  }
  NEXT_ITEM.lastIndex = open
  return { end: NEXT_ITEM.exec(text)?.index ?? text.length, closed: false }
}

function lineEnd(text: string, from: number): number {
  let i = from
  while (i < text.length && text.charCodeAt(i) !== 10 && text.charCodeAt(i) !== 13) i++
  return i
}

/** Behind the string that begins with the quote at `at`; one without an end is over at the end of its line, or of the text where triple-quoted. */
function skipCelString(text: string, at: number): number {
  const quote = text[at]!
  // r"", b"", rb"" and br"" in either case: a backslash of a raw string escapes nothing.
  const isRaw = /(?<![A-Za-z0-9_])(?:[rR][bB]?|[bB][rR])$/.test(text.slice(Math.max(0, at - 3), at))
  const triple = quote.repeat(3)
  const isTriple = text.startsWith(triple, at)
  for (let i = at + (isTriple ? 3 : 1); i < text.length; i++) {
    const unit = text[i]!
    if (unit === '\\' && !isRaw) i++
    else if (isTriple ? unit === quote && text.startsWith(triple, i) : unit === quote) return i + (isTriple ? 3 : 1)
    else if (!isTriple && (unit === '\n' || unit === '\r')) return i
  }
  return text.length
}

function skipJsonString(text: string, at: number): number {
  if (text[at] === "'") return at + 1
  for (let i = at + 1; i < text.length; i++) {
    const unit = text[i]!
    if (unit === '\\' && text[i + 1] !== '\n' && text[i + 1] !== '\r') i++
    else if (unit === '"') return i + 1
    else if (unit === '\n' || unit === '\r') return i
  }
  return text.length
}

/** Nothing but white space and comments. */
export function isEmptyCel(text: string): boolean {
  return text.replace(/\/\/[^\r\n]*/g, '').trim() === ''
}
