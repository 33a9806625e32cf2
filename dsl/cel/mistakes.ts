// Mistakes that many make when they write CEL for the first time, and what they meant.

export interface Mistake {
  readonly message: string
  readonly help: string
}

const operators: Readonly<Record<string, string>> = { '=': '==', '&': '&&', '|': '||' }
const words: Readonly<Record<string, string>> = {
  and: '&&',
  or: '||',
  is: '==',
  equals: '==',
  not: '!',
  '===': '==',
  AND: '&&',
  OR: '||',
  NOT: '!',
}

const constants: Readonly<Record<string, string>> = {
  true: '`true`',
  false: '`false`',
  none: '`null`',
  nil: '`null`',
  undefined: '`null`, or ask `has()`',
}

/** For words that stand for a value in other languages. */
export function constantHelp(name: string): string | undefined {
  const word = name.toLowerCase()
  return Object.hasOwn(constants, word) ? `write ${constants[word]!}` : undefined
}

const MATCHES = 'call it on the text, as in `args.x.matches("...")`'

/** What stands at the place where the parser gave up. */
export function mistakeOf(text: string, at: number): Mistake | undefined {
  const rest = text.slice(at)
  if (rest.startsWith('=') && text[at - 1] === '=') return told('===', '==')
  if (rest.startsWith('>') && text[at - 1] === '<') return told('<>', '!=')
  if (/^=?~/.test(rest)) return { message: `expected an operator, found \`${rest[0] === '~' ? '~' : '=~'}\``, help: MATCHES }
  if (rest.startsWith(';')) return { message: 'expected the end of the condition, found `;`', help: 'leave `;` out' }
  const before = text.slice(0, at)
  if (/\bnot\s+$/i.test(before)) return { message: 'expected `!` in place of `not`', help: 'write `!`' }
  if (rest.startsWith(',') && /\bin\s*\([^()]*$/.test(before)) {
    return { message: 'expected a list after `in`, found `(`', help: 'a list stands in brackets, as in `x in ["a", "b"]`' }
  }
  if (rest.startsWith('.') && before.endsWith('?')) {
    return { message: 'expected `.`, found `?.`', help: 'ask with `has(args.x)` before you read `args.x`' }
  }
  const operator = operators[rest[0] ?? '']
  if (operator !== undefined) return told(rest[0]!, operator)
  const word = /^[A-Za-z]+/.exec(rest)?.[0]
  if (word !== undefined && Object.hasOwn(words, word)) return told(word, words[word]!)
  if (/^['"]/.test(rest) && /\b(?:like|contains|startsWith|endsWith|matches)\s+$/.test(before)) {
    return { message: 'expected `(`, found a string', help: 'write the text in parentheses, as in `.startsWith("x")`' }
  }
  if (/^(?:like|contains|startsWith|endsWith|matches)\b/.test(rest)) {
    return {
      message: `expected an operator, found \`${word}\``,
      help: `call it on the text, as in \`args.x.${word === 'like' ? 'matches' : word}("...")\``,
    }
  }
  if (rest.startsWith('“') || rest.startsWith('”') || rest.startsWith('’') || rest.startsWith('‘')) {
    return { message: `\`${rest[0]}\` is no quote of CEL`, help: 'write `"` or `\'`' }
  }
  return undefined
}

const told = (found: string, meant: string): Mistake => ({
  message: `expected \`${meant}\`, found \`${found}\``,
  help: `write \`${meant}\``,
})
