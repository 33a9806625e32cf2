// Patterns of the config: RE2, so that no text can make them slow; compiled at the start.
import { RE2JS } from 're2js'
import type { Action } from './detector.ts'
import type { Finding } from './finding.ts'

export interface PatternRule {
  readonly name: string
  readonly pattern: string
  readonly action: Action
}

const longest = 1000
// Steps for each character grow with it.
const largest = 500

export interface Pattern {
  findAll(text: string): readonly Finding[]
}

/** A text says why it cannot be used. */
export function compilePattern({ name, pattern, action }: PatternRule): Pattern | string {
  if (pattern.length > longest) return `a pattern of ${pattern.length} characters; at most ${longest} are allowed`
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(pattern)
  } catch (error) {
    return `a pattern that is not RE2: ${reasonOf(error)}`
  }
  if (compiled.programSize() > largest) return 'a pattern that is too large, for its repetitions'
  if (compiled.matcher('').find()) return 'a pattern that matches the empty text, and so every text'
  return {
    findAll(text) {
      const found: Finding[] = []
      const matcher = compiled.matcher(text)
      while (matcher.find()) {
        const start = matcher.start()
        const end = matcher.end()
        if (end > start) found.push({ start, end, id: name, action, value: text.slice(start, end) })
      }
      return found
    },
  }
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : ''
  return text.replace(/^error parsing regexp: /, '').replaceAll('\n', ' ') || 'it cannot be read'
}
