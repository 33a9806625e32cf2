// From an error of the parser to what a reader is told: expected and found in the words of the language, and help for known mistakes.
import type { IToken, TokenType } from 'chevrotain'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Source, Span } from '../span.ts'
import { endOf, isClosed, spanOf } from './nodes.ts'
import type { Mismatch } from './parser.ts'
import { tell } from './token-errors.ts'
import * as t from './tokens.ts'

const synonyms: Readonly<Record<string, string>> = {
  permit: 'allow',
  grant: 'allow',
  accept: 'allow',
  allowed: 'allow',
  denied: 'deny',
  forbid: 'deny',
  block: 'deny',
  reject: 'deny',
  refuse: 'deny',
  must: 'require',
  principal: 'who',
  subject: 'who',
  tool: 'call',
  tools: 'call',
  action: 'call',
  calls: 'call',
  resource: 'read',
  resources: 'read',
  reads: 'read',
  prompts: 'prompt',
  methods: 'method',
  if: 'when',
  where: 'when',
  condition: 'when',
  do: 'then',
  reason: 'because',
  until: 'expires',
  roles: 'role',
  group: 'role',
  user: 'agent',
  principal_id: 'agent',
  org: 'tenant',
  everyone: 'any',
  everybody: 'any',
  anyone: 'any',
  anybody: 'any',
  all: 'any',
  set: 'targets',
  tests: 'test',
  given_that: 'given',
  policies: 'policy',
}
const isMistaken = (word: string): boolean => Object.hasOwn(synonyms, word.toLowerCase())
/** The word that was meant, where it is a known mistake. */
export function meantBy(word: string): string | undefined {
  if (isMistaken(word)) return synonyms[word.toLowerCase()]
  const near = [...t.keywords].map(type => type.name.toLowerCase()).filter(name => name.length > 3 && isNear(word.toLowerCase(), name))
  return near.length === 1 && near[0] !== word ? near[0] : undefined
}

/** One letter more, less, other, or two exchanged. */
function isNear(a: string, b: string): boolean {
  if (a === b) return true
  if (Math.abs(a.length - b.length) > 1) return false
  let i = 0
  while (i < a.length && a[i] === b[i]) i++
  if (a.length === b.length)
    return a.slice(i + 1) === b.slice(i + 1) || (a[i] === b[i + 1] && a[i + 1] === b[i] && a.slice(i + 2) === b.slice(i + 2))
  return a.length > b.length ? a.slice(i + 1) === b.slice(i) : a.slice(i) === b.slice(i + 1)
}

export const BRACES = 'put the condition into braces'
const label = (type: TokenType): string => type.LABEL ?? type.name

function expectation({ expected, inside }: Mismatch): string {
  const rule = inside.at(-1)
  if (expected.length === 0) return 'a `let`, `targets`, rule or `test`'
  if (rule === 'rule' && expected[0] === t.RightBrace) return 'a clause or `}`'
  if (rule === 'item') return 'a `let`, `targets`, rule or `test`'
  if (rule === 'subject') return 'a subject like `role support`, or `any`'
  if (rule === 'target') return 'a target like `crm/get_*`, or `@` and the name of a set'
  const labels = [...new Set(expected.map(label))]
  return labels.length === 1 ? labels[0]! : `${labels.slice(0, -1).join(', ')} or ${labels.at(-1)}`
}

/** `next` stands where the segment of the error ends; undefined at the end of the file. */
export function explain(source: Source, error: Mismatch, next: IToken | undefined): Diagnostic {
  // The end of input has no offset.
  const found = Number.isFinite(error.found.startOffset) ? error.found : next
  const { previous } = error
  const end = previous === undefined ? source.text.length : endOf(previous)
  const span: Span = found === undefined ? { file: source.file, start: end, end } : spanOf(source.file, found)
  const shown = found === undefined ? 'the end of the file' : `\`${short(found.image)}\``
  const help = helpFor(source, error, found, previous)
  return tell('syntax', {
    message: `expected ${expectation(error)}, found ${shown}`,
    span: found === undefined ? span : { ...span, end: span.start + short(found.image).length },
    ...help,
  })
}

/** One line of it. */
const short = (image: string): string => (/^[^\r\n]{0,60}/.exec(image)?.[0] ?? '').trimEnd()

type Help = { help?: string; fix?: Diagnostic['fix'] & object }

function helpFor(source: Source, error: Mismatch, found: IToken | undefined, previous: IToken | undefined): Help {
  const { file, text } = source
  const rule = error.inside.at(-1)
  const expects = (type: TokenType): boolean => error.expected.includes(type)
  if (found === undefined || (t.topLevel.has(found.tokenType) && expects(t.RightBrace))) {
    return expects(t.RightBrace) ? { help: 'close it with `}`' } : {}
  }
  if (expects(t.Cel)) {
    // The brace at the end of a rule on one line is not of its condition.
    const line = /^[^\r\n]*/
      .exec(text.slice(found.startOffset))![0]
      .replace(/^([^{}]*)\}\s*$/, '$1')
      .trimEnd()
    const fixed = `{ ${line} }`
    return {
      help: `a condition stands in braces: \`${fixed}\``,
      fix: {
        span: { file, start: found.startOffset, end: found.startOffset + line.length },
        text: fixed,
        title: BRACES,
      },
    }
  }
  if (expects(t.JsonToken)) return { help: 'who makes the call stands as JSON: `as { "id": "a1", "roles": ["support"] }`' }
  const isWord = found.tokenType === t.Name || t.keywords.has(found.tokenType)
  if ((found.tokenType === t.Colon || found.tokenType === t.Equals) && previous !== undefined && t.keywords.has(previous.tokenType))
    return {
      help: `nothing stands between \`${previous.image}\` and what it says; leave \`${found.image}\` out`,
      fix: { span: { file, start: endOf(previous), end: endOf(found) }, text: ' ', title: `leave \`${found.image}\` out` },
    }
  if (rule === 'rule' && joins.test(found.image)) return joinHelp(source, found)
  if (rule === 'obligation' && expects(t.RightParen) && previous !== undefined && isName(previous))
    return { help: `a colon stands behind the name of an argument: \`${previous.image}: ${short(found.image)}\`` }
  if (rule === 'obligation' && expects(t.RightParen) && (isWord || found.tokenType === t.Target || found.tokenType === t.BadTarget))
    return { help: 'arguments have commas between them, and names with a colon: `limit(20, per: 1h)`' }
  if (expects(t.Str) && isWord) {
    const name = wordsOf(text, found)
    return {
      help: `it stands in quotes: \`"${name}"\``,
      fix: {
        span: { file, start: found.startOffset, end: found.startOffset + name.length },
        text: `"${name}"`,
        title: 'put it into quotes',
      },
    }
  }
  if (expects(t.NameLike) && (found.tokenType === t.When || found.tokenType === t.Unless || found.tokenType === t.As))
    return { help: `as a name, \`${found.image}\` stands in quotes` }
  if (expects(t.NameLike) && [t.Int, t.DurationToken, t.DateToken].includes(found.tokenType))
    return { help: `a name that begins with a digit stands in quotes: \`"${found.image}"\`` }
  if (expects(t.NameLike) && (found.tokenType === t.Target || found.tokenType === t.BadTarget))
    return { help: 'a name has no `/`; in quotes it may have one' }
  if (rule === 'subject' && /^not$/i.test(found.image))
    return { help: 'whom a rule leaves out stands behind `except`: `any except role intern`' }
  if (rule === 'subject' && found.tokenType === t.Name && !isMistaken(found.image))
    return { help: `a role stands as \`role ${found.image}\`` }
  if (previous?.tokenType === t.Comma) return { help: 'leave out the comma before it, or name one more' }
  if (found.tokenType === t.Comma && expects(t.RightBrace)) return { help: 'clauses have no commas between them' }
  if (found.tokenType === t.Policy) return { help: '`policy` stands once, at the beginning of the file' }
  if (rule === 'target' && found.tokenType === t.Str) return unquotedHelp(source, found)
  if (rule === 'target' && isWord && /^[^.]+\.[^.]/.test(found.image))
    return { help: `\`/\` stands between a server and what it has: \`${found.image.replace('.', '/')}\`` }
  if (rule === 'target' && isWord)
    return { help: `a target names a server and what it has, with \`/\` between them, like \`${found.image}/*\` or \`*/${found.image}\`` }
  if (rule === 'rule' && found.tokenType === t.LeftBrace && !expects(t.NameLike))
    return { help: 'clauses stand one after the other, without braces of their own' }
  if (rule === 'rule' && found.tokenType === t.JsonToken) return { help: 'what is asked of arguments stands in `when { ... }`' }
  if (found.tokenType === t.RightBrace && error.expected.length === 0) return { help: 'before it, one `}` is too many or one `{` too few' }
  if (rule === 'rule' && found.tokenType === t.Target) return { help: 'put a comma between targets' }
  if (!isWord && previous?.tokenType === found.tokenType && found.tokenType !== t.RightBrace) return { help: 'put a comma between them' }
  if (rule === 'rule' && [t.Role, t.Agent, t.Tenant, t.Any].includes(found.tokenType))
    return previous !== undefined && sameLine(text, previous, found)
      ? { help: 'put a comma between subjects, or `in` where both must hold' }
      : { help: '`who` stands before the first subject, and a comma between them' }
  if (expects(t.LeftBrace))
    return previous !== undefined && isWord && isName(previous) && sameLine(text, previous, found)
      ? { help: `a name with spaces stands in quotes: \`"${wordsOf(text, previous)}"\`` }
      : { help: 'its clauses stand in braces: `{ ... }`' }
  if (expects(t.DurationToken) && found.tokenType === t.Int)
    return { help: 'a duration is written with its units, like `90s`, `15m`, `1h30m` or `7d`' }
  if (!isWord) return {}
  if (
    rule === 'rule' &&
    previous !== undefined &&
    previous.tokenType !== t.Any &&
    isName(previous) &&
    sameLine(text, previous, found) &&
    !isMistaken(found.image)
  ) {
    const name = wordsOf(text, previous)
    return {
      help: `a name with spaces stands in quotes: \`"${name}"\``,
      fix: {
        span: { file, start: previous.startOffset, end: previous.startOffset + name.length },
        text: `"${name}"`,
        title: 'put the name into quotes',
      },
    }
  }
  const meant = meantBy(found.image)
  if (meant !== undefined)
    return { help: `did you mean \`${meant}\`?`, fix: { span: spanOf(file, found), text: meant, title: `write \`${meant}\`` } }
  return {}
}

const joins = /^(?:and|or)$/i

/** `and` and `or` between subjects or targets. */
function joinHelp({ file, text }: Source, found: IToken): Help {
  const behind = /^\s+(?:role|agent|tenant|any)\b/.test(text.slice(endOf(found), endOf(found) + 100))
  if (!behind) return { help: 'a comma stands between them' }
  const meant = found.image.toLowerCase() === 'and' ? 'in' : ','
  return {
    help: '`in` stands between subjects that must both hold, as in `role support in tenant acme`; a comma means or',
    fix: { span: spanOf(file, found), text: meant, title: `write \`${meant}\`` },
  }
}

/** For a target that stands in quotes as a whole. */
function unquotedHelp({ file }: Source, found: IToken): Help {
  const [, server, name] = /^"([A-Za-z0-9_.*-]+)\/([^"\\]+)"$/.exec(found.image) ?? []
  if (server === undefined || name === undefined) return { help: 'only a name stands in quotes, behind its server: `crm/"get customer"`' }
  const meant = /^[A-Za-z0-9_.*-]+$/.test(name) ? `${server}/${name}` : `${server}/"${name}"`
  return {
    help: `a server stands without quotes: \`${meant}\``,
    fix: { span: spanOf(file, found), text: meant, title: `write \`${meant}\`` },
  }
}

const isName = (token: IToken): boolean => token.tokenType === t.Name || t.keywords.has(token.tokenType)
const sameLine = (text: string, a: IToken, b: IToken): boolean => !/[\r\n]/.test(text.slice(a.startOffset, b.startOffset))

/** The words from here to the end of the line, as long as they are words. */
function wordsOf(text: string, from: IToken): string {
  const more =
    /(?:[ \t]+(?!(?:edition|owner|in|except|call|read|prompt|method|when|unless|after|then|because|expires|within|ago)\b)[A-Za-z0-9_.-]+(?![/(:]))*/y
  more.lastIndex = endOf(from)
  return from.image + (more.exec(text)?.[0] ?? '')
}

/** An unclosed slice has taken what comes next with it, and has been told already. */
export function isAftermath({ previous }: Mismatch): boolean {
  return (previous?.tokenType === t.Cel || previous?.tokenType === t.JsonToken) && !isClosed(previous)
}
