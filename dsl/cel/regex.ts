// `matches`: patterns are literal, compiled once with the semantics of RE2, and bounded, so that no text can make them slow.
import { RE2JS } from 're2js'
import { hasFewStates } from './pattern-states.ts'
import type { Run } from './run.ts'

const longest = 1_000
const largest = 2_000

export type Pattern = (text: string, run: Run) => boolean | undefined

type Compiled = { readonly test: Pattern } | { readonly problem: string }

// A pattern is met at every check of its condition against another tool.
const known = new Map<string, Compiled>()

/** The pattern, or why there is none. */
export function compilePattern(pattern: string): Compiled {
  const made = known.get(pattern) ?? compile(pattern)
  if (known.size >= 1_000) known.clear()
  known.set(pattern, made)
  return made
}

function compile(pattern: string): Compiled {
  if (pattern.length > longest) return { problem: `a pattern of ${pattern.length} characters; at most ${longest} are allowed` }
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(pattern)
  } catch (error) {
    return { problem: reasonOf(error) }
  }
  const size = compiled.programSize()
  if (size > largest) return { problem: 'a pattern that is too large, for its repetitions' }
  // A step is worth a character or two where all states are soon known; else each character may make one that nobody has met.
  const perCharacter = hasFewStates(compiled) ? 0.6 : 0.5 + size / 2
  const test: Pattern = (text, run) => (run.charge(1 + Math.ceil(text.length * perCharacter)) ? compiled.test(text) : undefined)
  return { test }
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : ''
  return `a pattern that is not RE2: ${text.replace(/^error parsing regexp: /, '').replaceAll('\n', ' ') || 'it cannot be read'}`
}
