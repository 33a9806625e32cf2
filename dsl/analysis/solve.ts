// Whether a formula can hold: a search through its branches that gives up rather than guess.
import type { Formula, Term } from './formula.ts'
import { absent, type Domain, domainOf, isEmpty, isMap, leavesNothing, narrow, type ValueSet } from './values.ts'

/** What is left of each term that the formula speaks of. It may still be empty in ways that are not seen. */
export type Model = ReadonlyMap<string, { readonly term: Term; readonly domain: Domain }>

/** `impossible` is proven; a `model` is a candidate. */
export type Solution = 'impossible' | 'undecided' | Model

/** What is known of terms beforehand, e.g. by the schema of a tool. */
export type Background = (term: Term) => { readonly set: ValueSet; readonly whole: boolean } | undefined

const maxSteps = 3000
type Domains = Map<string, { term: Term; domain: Domain }>

export function solve(formula: Formula, background?: Background): Solution {
  const budget = { left: maxSteps }
  return search([formula], [], new Map(), { background, budget, initial: new Map() })
}

export function isImpossible(formula: Formula, background?: Background): boolean {
  return solve(formula, background) === 'impossible'
}

interface Run {
  readonly background: Background | undefined
  readonly budget: { left: number }
  /** Of terms that nothing was said of yet, by key. */
  readonly initial: Map<string, Domain>
}

function search(pending: Formula[], choices: Choice[], domains: Domains, run: Run): Solution {
  while (pending.length > 0) {
    if (run.budget.left-- <= 0) return 'undecided'
    const formula = pending.pop() as Formula
    if (formula.kind === 'false') return 'impossible'
    if (formula.kind === 'and') pending.push(...formula.parts)
    else if (formula.kind === 'or') choices.push(formula.parts)
    else if (formula.kind === 'is' && !restrict(formula.term, formula.set, domains, run)) return 'impossible'
  }
  return branch(choices, domains, run)
}

type Choice = readonly Formula[]

/** Branches of literals that cannot hold are dropped first; what has one branch left is no choice. */
function branch(choices: Choice[], domains: Domains, run: Run): Solution {
  let best: Choice | undefined
  let bestAt = -1
  for (const [i, choice] of choices.entries()) {
    const open = choice.filter(part => isOpen(part, domains, run))
    if (open.length === 0) return 'impossible'
    choices[i] = open
    if (!best || open.length < best.length) {
      best = open
      bestAt = i
    }
    if (open.length === 1) break
  }
  if (!best) return domains
  const rest = choices.filter((_, i) => i !== bestAt)
  let undecided = false
  for (const part of best) {
    const solution = search([part], [...rest], new Map(domains), run)
    if (solution === 'undecided') undecided = true
    else if (solution !== 'impossible') return solution
    if (run.budget.left <= 0) return 'undecided'
  }
  return undecided ? 'undecided' : 'impossible'
}

function isOpen(part: Formula, domains: Domains, run: Run): boolean {
  if (part.kind !== 'is') return part.kind !== 'false'
  run.budget.left--
  const known = domains.get(part.term.key)?.domain ?? initial(part.term, run)
  return !leavesNothing(known, part.set)
}

function restrict(term: Term, set: ValueSet, domains: Domains, run: Run): boolean {
  const before = domains.get(term.key)?.domain ?? initial(term, run)
  const domain = narrow(before, set)
  if (isEmpty(domain)) return false
  domains.set(term.key, { term, domain })
  if (!term.parent || domain.flags & absent) return true
  // A field that is there is a field of a map.
  return restrict(term.parent, onlyMap, domains, run)
}

const onlyMap: ValueSet = { flags: isMap, numbers: [], times: [], strings: { negated: false, basis: { kind: 'in', values: new Set() } } }

function initial(term: Term, { background, initial: found }: Run): Domain {
  let domain = found.get(term.key)
  if (domain === undefined) {
    const known = background?.(term)
    const whole = domainOf(term.range, term.whole || (known?.whole ?? false))
    domain = known ? narrow(whole, known.set) : whole
    found.set(term.key, domain)
  }
  return domain
}
