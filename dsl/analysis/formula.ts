// Formulas over fields: literals (a field is in a set), and, or. Everything the checker proves is that one of them cannot hold.
import { complement, domainOf, isEmpty, type ValueSet } from './values.ts'

/** Something with one value per call: a field, or any expression that is not looked into. */
export interface Term {
  /** Equal keys have equal values. */
  readonly key: string
  /** Root variable and field names, where the term is a field. */
  readonly path?: readonly string[]
  /** The field that this one is a field of. */
  readonly parent?: Term
  /** What it may be at most; `absent` is also an error on the way to it. */
  readonly range: ValueSet
  /** Its numbers are integers. */
  readonly whole: boolean
}

export type Formula =
  | { readonly kind: 'true' }
  | { readonly kind: 'false' }
  | { readonly kind: 'is'; readonly term: Term; readonly set: ValueSet }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Formula[] }

export const always: Formula = { kind: 'true' }
export const never: Formula = { kind: 'false' }

export function is(term: Term, set: ValueSet): Formula {
  return set.flags === 0 && isEmpty(domainOf(set, term.whole)) ? never : { kind: 'is', term, set }
}

export function and(parts: Iterable<Formula>): Formula {
  return join('and', always, never, parts)
}
export function or(parts: Iterable<Formula>): Formula {
  return join('or', never, always, parts)
}

function join(kind: 'and' | 'or', neutral: Formula, absorbing: Formula, parts: Iterable<Formula>): Formula {
  const kept: Formula[] = []
  for (const part of parts) {
    if (part.kind === absorbing.kind) return absorbing
    if (part.kind === neutral.kind) continue
    if (part.kind === kind) kept.push(...part.parts)
    else kept.push(part)
  }
  if (kept.length === 0) return neutral
  return kept.length === 1 ? (kept[0] as Formula) : { kind, parts: kept }
}

const negations = new WeakMap<Formula, Formula>()

export function not(formula: Formula): Formula {
  const known = negations.get(formula)
  if (known) return known
  const negated = negate(formula)
  negations.set(formula, negated)
  return negated
}

function negate(formula: Formula): Formula {
  switch (formula.kind) {
    case 'true':
      return never
    case 'false':
      return always
    case 'is':
      return is(formula.term, complement(formula.set))
    case 'and':
      return or(formula.parts.map(not))
    case 'or':
      return and(formula.parts.map(not))
  }
}

/** Keys of all its terms. */
export function termsOf(formula: Formula, into: Map<string, Term> = new Map()): Map<string, Term> {
  if (formula.kind === 'is') into.set(formula.term.key, formula.term)
  else if (formula.kind === 'and' || formula.kind === 'or') for (const part of formula.parts) termsOf(part, into)
  return into
}
