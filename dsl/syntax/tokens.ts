// The words of the language. A wrong numeral, string or target is a token too, so that the parser can go on behind it.
import type { CustomPatternMatcherFunc, ITokenConfig, TokenType } from 'chevrotain'
import { kit } from './kit.ts'
import { findCelEnd, findJsonEnd } from './slices.ts'

const { createToken, Lexer } = kit

const range = (from: string, to: string): string[] =>
  Array.from({ length: to.charCodeAt(0) - from.charCodeAt(0) + 1 }, (_, i) => String.fromCharCode(from.charCodeAt(0) + i))
const digits = range('0', '9')
const letters = [...range('A', 'Z'), ...range('a', 'z'), '_']
const wordStarts = [...letters, ...digits, '.', '*', '-']

const token = (name: string, label: string, config: Partial<ITokenConfig> = {}): TokenType =>
  createToken({ name, label, pattern: Lexer.NA, ...config })

export const Space: TokenType = token('Space', 'white space', { pattern: /[ \t\r\n]+/, group: Lexer.SKIPPED, line_breaks: true })
export const Comment: TokenType = token('Comment', 'a comment', { pattern: /#[^\r\n]*/, group: 'comments' })
const byteOrderMark: CustomPatternMatcherFunc = (text, offset) => (offset === 0 && text[0] === '\uFEFF' ? ['\uFEFF'] : null)
const Bom: TokenType = token('Bom', 'a byte order mark', {
  pattern: byteOrderMark,
  group: Lexer.SKIPPED,
  start_chars_hint: ['\uFEFF'],
  line_breaks: false,
})

/** Whatever can stand where a name is expected: NAME, STR, and keywords but `when`, `unless` and `as`. */
export const NameLike: TokenType = token('NameLike', 'a name')

/** A word with a slash or a star in it: most words have none, and are passed over by one look. */
function wordLike(pattern: RegExp): CustomPatternMatcherFunc {
  const sticky = new RegExp(pattern.source, 'y')
  return (text, offset) => {
    if (!hasTargetMark(text, offset)) return null
    sticky.lastIndex = offset
    return sticky.exec(text)
  }
}
function hasTargetMark(text: string, offset: number): boolean {
  for (let i = offset; ; i++) {
    const unit = text.charCodeAt(i)
    if (unit === 42 || unit === 47) return true
    const isWord = (unit >= 97 && unit <= 122) || (unit >= 65 && unit <= 90) || (unit >= 45 && unit <= 57) || unit === 95
    if (!isWord) return false
  }
}

export const Target: TokenType = token('Target', 'a target like `crm/get_*`', {
  pattern: wordLike(/[A-Za-z0-9_.*-]+\/(?:"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|[A-Za-z0-9_.*-]+(?![^\s"{},;#()@]))/),
  start_chars_hint: wordStarts,
  line_breaks: false,
})
/** No server or no name, more than one slash, or a character that asks for quotes. */
export const BadTarget: TokenType = token('BadTarget', 'a target', {
  pattern: wordLike(/[A-Za-z0-9_.*-]+\/(?:"(?:[^"\\\r\n]|\\[^\r\n])*(?:"|\\?)|[^\s"{},;#()]*)|[A-Za-z0-9_.-]*\*[A-Za-z0-9_.*-]*/),
  start_chars_hint: wordStarts,
  line_breaks: false,
  categories: Target,
})

const END = '(?![A-Za-z0-9_.-])'
export const DateToken: TokenType = token('Date', 'a date like `2027-03-31`', {
  pattern: new RegExp(`\\d{4}-\\d{2}-\\d{2}${END}`),
  start_chars_hint: digits,
})
export const DurationToken: TokenType = token('Duration', 'a duration like `15m`', {
  pattern: new RegExp(`(?:\\d+d)?(?:\\d+h)?(?:\\d+m)?(?:\\d+s)?(?<=[dhms])${END}`),
  start_chars_hint: digits,
})
export const Int: TokenType = token('Int', 'a whole number', { pattern: new RegExp(`\\d+${END}`), start_chars_hint: digits })
export const BadNumeral: TokenType = token('BadNumeral', 'a number', {
  pattern: /[+-]?\d[A-Za-z0-9_.-]*/,
  start_chars_hint: [...digits, '+', '-'],
  categories: [Int, DurationToken, DateToken],
})

export const Name: TokenType = token('Name', 'a name', {
  pattern: /[A-Za-z_][A-Za-z0-9_.-]*/,
  start_chars_hint: letters,
  categories: NameLike,
})
export const Str: TokenType = token('Str', 'a text in quotes', {
  pattern: /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/,
  start_chars_hint: ['"'],
  categories: NameLike,
})
/** Without an end on its line, with what JSON does not allow in a string, or in single quotes. */
export const BadStr: TokenType = token('BadStr', 'a text in quotes', {
  pattern: /"(?:[^"\\\r\n]|\\[^\r\n])*(?:"|\\?)|'[^'"\r\n]*'/,
  start_chars_hint: ['"', "'"],
  categories: [Str, NameLike],
})

const keywordTokens: TokenType[] = []
const keyword = (word: string, isName = true): TokenType => {
  const made = token(`${word[0]!.toUpperCase()}${word.slice(1)}`, `\`${word}\``, {
    pattern: new RegExp(word),
    longer_alt: Name,
    categories: isName ? [NameLike] : [],
    start_chars_hint: [word[0]!],
  })
  keywordTokens.push(made)
  return made
}
export const Policy: TokenType = keyword('policy')
export const Edition: TokenType = keyword('edition')
export const Owner: TokenType = keyword('owner')
export const LetToken: TokenType = keyword('let')
export const Targets: TokenType = keyword('targets')
export const Shadow: TokenType = keyword('shadow')
export const Allow: TokenType = keyword('allow')
export const Deny: TokenType = keyword('deny')
export const Require: TokenType = keyword('require')
export const Who: TokenType = keyword('who')
export const Except: TokenType = keyword('except')
export const Call: TokenType = keyword('call')
export const Read: TokenType = keyword('read')
export const Prompt: TokenType = keyword('prompt')
export const Method: TokenType = keyword('method')
export const When: TokenType = keyword('when', false)
export const Unless: TokenType = keyword('unless', false)
export const After: TokenType = keyword('after')
export const Within: TokenType = keyword('within')
export const Then: TokenType = keyword('then')
export const Because: TokenType = keyword('because')
export const Expires: TokenType = keyword('expires')
export const Any: TokenType = keyword('any')
export const Role: TokenType = keyword('role')
export const Agent: TokenType = keyword('agent')
export const Tenant: TokenType = keyword('tenant')
export const In: TokenType = keyword('in')
export const TestToken: TokenType = keyword('test')
export const As: TokenType = keyword('as', false)
export const Given: TokenType = keyword('given')
export const Ago: TokenType = keyword('ago')
export const At: TokenType = keyword('at')
export const From: TokenType = keyword('from')
export const Expect: TokenType = keyword('expect')
export const By: TokenType = keyword('by')
export const With: TokenType = keyword('with')

const mark = (name: string, text: string): TokenType => token(name, `\`${text}\``, { pattern: text })
export const Comma: TokenType = mark('Comma', ',')
export const Colon: TokenType = mark('Colon', ':')
export const Equals: TokenType = mark('Equals', '=')
export const AtSign: TokenType = mark('AtSign', '@')
export const LeftParen: TokenType = mark('LeftParen', '(')
export const RightParen: TokenType = mark('RightParen', ')')
export const LeftBrace: TokenType = mark('LeftBrace', '{')
export const RightBrace: TokenType = mark('RightBrace', '}')

const actions: ReadonlySet<unknown> = new Set([Call, Read, Prompt, Method])
export const effects: ReadonlySet<unknown> = new Set([Allow, Deny, Require])
const slice = (text: string, offset: number, end: number, payload: unknown) =>
  Object.assign([text.slice(offset, end)] as [string], { payload })

/** Braces behind `when`, `unless` or `=`, with all that is between them. The payload is the extent. */
const celSlice: CustomPatternMatcherFunc = (text, offset, before) => {
  const last = before.at(-1)?.tokenType
  if (last !== When && last !== Unless && last !== Equals) return null
  // `deny when {`: a name that had to stand in quotes.
  if (effects.has(before.at(-2)?.tokenType) && [undefined, RightBrace, Shadow].includes(before.at(-3)?.tokenType)) return null
  const extent = findCelEnd(text, offset)
  return slice(text, offset, extent.end, extent)
}
/** Braces behind `as`, or behind the target of a test. */
const jsonSlice: CustomPatternMatcherFunc = (text, offset, before) => {
  const last = before.at(-1)?.tokenType
  const isArgs = (last === Target || last === BadTarget) && actions.has(before.at(-2)?.tokenType)
  if (last !== As && !isArgs) return null
  const extent = findJsonEnd(text, offset)
  return slice(text, offset, extent.end, extent)
}
export const Cel: TokenType = token('Cel', '`{`', { pattern: celSlice, start_chars_hint: ['{'], line_breaks: true })
export const JsonToken: TokenType = token('Json', '`{`', { pattern: jsonSlice, start_chars_hint: ['{'], line_breaks: true })

/** In the order in which they are tried. */
export const tokens: readonly TokenType[] = [
  Space,
  Comment,
  Bom,
  Target,
  BadTarget,
  DateToken,
  DurationToken,
  Int,
  BadNumeral,
  ...keywordTokens,
  Name,
  Str,
  BadStr,
  Cel,
  JsonToken,
  LeftBrace,
  RightBrace,
  Comma,
  Colon,
  Equals,
  AtSign,
  LeftParen,
  RightParen,
  NameLike,
]
export const keywords: ReadonlySet<TokenType> = new Set(keywordTokens)
export const topLevel: ReadonlySet<TokenType> = new Set([Policy, LetToken, Targets, Shadow, Allow, Deny, Require, TestToken])
