// Which patterns of `matches` let more through than they seem to: without anchors, or with a dot in a host that means any character?

import { type Standing, standingsOf } from '../analysis/polarity.ts'
import { pickString, stringsWith } from '../analysis/strings.ts'
import { compilePattern } from '../cel/regex.ts'
import { Run } from '../cel/run.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Check } from './context.ts'
import { finding } from './tell.ts'

export const checkRegex: Check = function* ({ rules }) {
  for (const rule of rules) {
    for (const standing of standingsOf(rule)) {
      const pattern = patternOf(standing)
      if (pattern === undefined) continue
      if (matchesEverything(pattern)) {
        yield at(standing, 'matches-everything', `\`${pattern}\` matches every text`, 'write what it should leave out')
        continue
      }
      yield* anchorsOf(standing, pattern)
      const host = hostDot.exec(pattern)?.[0]
      if (host !== undefined) {
        const mended = pattern.replaceAll(host, host.replace(/(?<!\\)\./g, '\\.'))
        yield at(
          standing,
          'regex-dot',
          `the dot in \`${host}\` means any character`,
          `write \`${mended}\` in a raw string, as in \`r"..."\``,
        )
      }
    }
  }
}

function patternOf({ node }: Standing): string | undefined {
  if (node.op !== 'rcall' || node.args[0] !== 'matches') return undefined
  const [pattern] = node.args[2]
  return pattern?.op === 'value' && typeof pattern.args === 'string' ? pattern.args : undefined
}

function matchesEverything(pattern: string): boolean {
  return /^(?:\(\?s\))?\^?(?:\.\*|\(\.\*\))?\$?$/.test(pattern)
}

/** A host with a dot that nothing escapes. */
const hostDot =
  /[A-Za-z0-9-]+(?:\\?\.[A-Za-z0-9-]+)*(?<!\\)\.(?:com|org|net|io|dev|app|example|test|internal|local|corp|cloud|gov|edu|ai)(?![A-Za-z0-9])|[A-Za-z0-9-]+(?<!\\)\.[A-Za-z0-9-]+(?:\\?\.[A-Za-z0-9-]+)*\\\.(?:com|org|net|io|dev|app|example|test|internal|local|corp|cloud|gov|edu|ai)(?![A-Za-z0-9])/

function* anchorsOf(standing: Standing, pattern: string): Generator<Diagnostic> {
  // Where it matters in the other direction, matching more is the safe side.
  if (standing.widens !== true) return
  const body = pattern.replace(/^\(\?[a-zA-Z]+\)/, '')
  const choices = alternatives(body)
  const open = choices.some(one => !/^(?:\^|\\A|\.\*)/.test(one))
  const unended = choices.some(one => !/(?:(?<!\\)\$|\\z|\.\*)$/.test(one))
  if (!open && !unended) return
  const example = pickString([stringsWith('matches', pattern)])
  const longer = example === undefined ? undefined : open ? `x${example}` : `${example}x`
  const shown = longer !== undefined && finds(pattern, longer) ? `, so that \`${longer}\` passes` : ''
  const where = open && unended ? 'at both ends' : open ? 'at its start' : 'at its end'
  const mended = choices.length > 1 ? `^(?:${body.replace(/^\^|(?<!\\)\$$/g, '')})$` : `${open ? '^' : ''}${body}${unended ? '$' : ''}`
  yield at(
    standing,
    'regex-unanchored',
    `\`${pattern}\` is open ${where}${shown}`,
    `write \`${pattern.slice(0, pattern.length - body.length)}${mended}\`; \`.*\` says that more may follow`,
  )
}

function finds(pattern: string, text: string): boolean {
  const compiled = compilePattern(pattern)
  return 'test' in compiled && compiled.test(text, new Run(new Map(), undefined, 0)) === true
}

/** Split at `|` outside of groups and classes. */
function alternatives(pattern: string): readonly string[] {
  const out = ['']
  let depth = 0
  let inClass = false
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i] as string
    if (char === '|' && depth === 0 && !inClass) {
      out.push('')
      continue
    }
    if (char === '\\') out[out.length - 1] += char + (pattern[++i] ?? '')
    else {
      if (char === '[') inClass = true
      else if (char === ']') inClass = false
      else if (!inClass && char === '(') depth++
      else if (!inClass && char === ')') depth--
      out[out.length - 1] += char
    }
  }
  return out
}

function at(
  { node, condition }: Standing,
  code: 'regex-unanchored' | 'regex-dot' | 'matches-everything',
  message: string,
  help: string,
): Diagnostic {
  const pattern = node.op === 'rcall' ? node.args[2][0] : undefined
  return finding(code, condition.spanOf(pattern ?? node), message, { help })
}
