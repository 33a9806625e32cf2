// Tests on strings, and whether several of them can hold of one string.
import { RE2JS } from 're2js'

export type StringBasis =
  | { readonly kind: 'in'; readonly values: ReadonlySet<string> }
  | { readonly kind: 'startsWith' | 'endsWith' | 'contains' | 'matches'; readonly text: string }
  /** In code points, as JSON Schema and CEL count. */
  | { readonly kind: 'length'; readonly min: number; readonly max: number }

export interface StringTest {
  readonly negated: boolean
  readonly basis: StringBasis
}

const nothing: ReadonlySet<string> = new Set()
export const noStrings: StringTest = { negated: false, basis: { kind: 'in', values: nothing } }
export const allStrings: StringTest = { negated: true, basis: noStrings.basis }

export function oneOf(values: Iterable<string>): StringTest {
  return { negated: false, basis: { kind: 'in', values: new Set(values) } }
}
export function stringsWith(kind: 'startsWith' | 'endsWith' | 'contains' | 'matches', text: string): StringTest {
  if (kind === 'matches') return matching(text)
  return text === '' ? allStrings : { negated: false, basis: { kind, text } }
}
export function stringsOfLength(min: number, max: number): StringTest {
  return { negated: false, basis: { kind: 'length', min, max } }
}
export function otherStrings(test: StringTest): StringTest {
  return { negated: !test.negated, basis: test.basis }
}
export function isAllStrings(test: StringTest): boolean {
  return test.negated && test.basis.kind === 'in' && test.basis.values.size === 0
}
export function isNoStrings(test: StringTest): boolean {
  return !test.negated && test.basis.kind === 'in' && test.basis.values.size === 0
}

/** Plain anchored patterns are the tests that they spell. */
function matching(pattern: string): StringTest {
  const literal = /^(\^?)((?:[A-Za-z0-9_ /:@#%&=~`,;'"!<>-]|\\[./+*?()[\]{}|^$\\-])*)(\$?)$/.exec(pattern)
  if (literal) {
    const text = (literal[2] as string).replace(/\\(.)/g, '$1')
    if (literal[1] && literal[3]) return oneOf([text])
    if (literal[1]) return stringsWith('startsWith', text)
    if (literal[3]) return stringsWith('endsWith', text)
    return stringsWith('contains', text)
  }
  const choice = /^\^\((?:\?:)?([A-Za-z0-9_|-]+)\)\$$/.exec(pattern)
  if (choice) return oneOf((choice[1] as string).split('|'))
  return { negated: false, basis: { kind: 'matches', text: pattern } }
}

export function passes(text: string, test: StringTest): boolean | undefined {
  const held = holds(text, test.basis)
  return held === undefined ? undefined : held !== test.negated
}

function holds(text: string, basis: StringBasis): boolean | undefined {
  switch (basis.kind) {
    case 'in':
      return basis.values.has(text)
    case 'startsWith':
      return text.startsWith(basis.text)
    case 'endsWith':
      return text.endsWith(basis.text)
    case 'contains':
      return text.includes(basis.text)
    case 'length': {
      const length = Array.from(text).length
      return length >= basis.min && length <= basis.max
    }
    case 'matches':
      return patternOf(basis.text)?.matcher(text).find()
  }
}

const patterns = new Map<string, RE2JS | undefined>()
function patternOf(text: string): RE2JS | undefined {
  if (!patterns.has(text)) {
    if (patterns.size > 1000) patterns.clear()
    let compiled: RE2JS | undefined
    try {
      compiled = RE2JS.compile(text)
    } catch {
      // Reported by who compiles the condition; here nothing is known of it.
    }
    patterns.set(text, compiled)
  }
  return patterns.get(text)
}

/** True only where it is proven that no string passes all of them. */
export function noStringPasses(tests: readonly StringTest[]): boolean {
  const finite = tests.find(test => !test.negated && test.basis.kind === 'in')
  if (finite && finite.basis.kind === 'in') {
    return [...finite.basis.values].every(value => tests.some(test => passes(value, test) === false))
  }
  for (const [i, a] of tests.entries()) {
    if (a.negated) continue
    for (const [j, b] of tests.entries()) if (i !== j && excludes(a.basis, b)) return true
  }
  return false
}

/** A string with `basis` never passes `other`. */
function excludes(basis: StringBasis, other: StringTest): boolean {
  const b = other.basis
  if (other.negated) return implies(basis, b)
  if (basis.kind === 'startsWith' && b.kind === 'startsWith') {
    return !basis.text.startsWith(b.text) && !b.text.startsWith(basis.text)
  }
  if (basis.kind === 'endsWith' && b.kind === 'endsWith') {
    return !basis.text.endsWith(b.text) && !b.text.endsWith(basis.text)
  }
  if (basis.kind === 'length' && b.kind === 'length') return basis.min > b.max || b.min > basis.max
  if (b.kind === 'length' && basis.kind !== 'in' && basis.kind !== 'matches' && basis.kind !== 'length') {
    return Array.from(basis.text).length > b.max
  }
  return false
}

function implies(a: StringBasis, b: StringBasis): boolean {
  if (a.kind === 'in' || b.kind === 'in') return false
  if (a.kind === 'length') return b.kind === 'length' && b.min <= a.min && a.max <= b.max
  if (b.kind === 'length') return a.kind !== 'matches' && b.max === Number.POSITIVE_INFINITY && Array.from(a.text).length >= b.min
  if (a.kind === b.kind && a.text === b.text) return true
  if (a.kind === 'matches' || b.kind === 'matches') return false
  if (b.kind === 'contains') return a.text.includes(b.text)
  if (a.kind !== b.kind) return false
  return b.kind === 'startsWith' ? a.text.startsWith(b.text) : a.text.endsWith(b.text)
}

/** A string that passes all of them, where one is easily found. */
export function pickString(tests: readonly StringTest[]): string | undefined {
  for (const candidate of stringCandidates(tests)) {
    if (tests.every(test => passes(candidate, test) === true)) return candidate
  }
  return undefined
}

function* stringCandidates(tests: readonly StringTest[]): Iterable<string> {
  const texts = { startsWith: '', endsWith: '', contains: '' }
  let min = 0
  for (const { negated, basis } of tests) {
    if (negated) continue
    if (basis.kind === 'in') yield* basis.values
    if (basis.kind === 'length') min = Math.max(min, basis.min)
    if (basis.kind === 'startsWith' || basis.kind === 'endsWith') {
      if (basis.text.length > texts[basis.kind].length) texts[basis.kind] = basis.text
    }
    if (basis.kind === 'contains') texts.contains += basis.text
  }
  const { startsWith, endsWith, contains } = texts
  const start = startsWith.endsWith(endsWith) && startsWith.includes(contains) ? [startsWith] : []
  for (const text of [...start, `${startsWith}${contains}${endsWith}`]) {
    for (const filler of text === '' ? ['x', 'y', '', 'a1'] : ['', 'x', 'y']) {
      const cut = text.length - endsWith.length
      yield text.slice(0, cut) + filler.repeat(Math.max(1, min - text.length)) + text.slice(cut)
    }
  }
  for (const { negated, basis } of tests) if (!negated && basis.kind === 'matches') yield* examplesOf(basis.text)
}

/** Guesses: each is checked before it is used. */
function examplesOf(pattern: string): readonly string[] {
  const plain = pattern
    .replace(/^\^|\$$/g, '')
    .replace(/\\d/g, '1')
    .replace(/\\w|\[[^\]]*\]|(?<!\\)\./g, 'a')
    .replace(/[*+?]|\{[^}]*\}/g, '')
    .replace(/\\(.)/g, '$1')
  return [plain, plain.replace(/\(([^|)]*)[^)]*\)/g, '$1'), pattern]
}
