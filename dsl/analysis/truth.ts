// A condition as two formulas: when it is true, and when it is false. What is neither is ERROR.
import type { CelNode } from '../cel/node.ts'
import { pathOf } from '../cel/walk.ts'
import { always, and, type Formula, is, never, or, type Term } from './formula.ts'
import { above, below, complementOf } from './intervals.ts'
import { allStrings, otherStrings, stringsWith } from './strings.ts'
import { constantOf, fieldTerm, roleTerm, termOf, textOf } from './terms.ts'
import {
  absent,
  type Constant,
  complement,
  constants,
  flagged,
  isFalse,
  isList,
  isMap,
  isTrue,
  numbersIn,
  overlap,
  present,
  stringsIn,
  timesIn,
  type ValueSet,
} from './values.ts'

/** Equivalences, both of them: what neither holds for is ERROR. */
export interface Truths {
  readonly yes: Formula
  readonly no: Formula
}

const known = new WeakMap<CelNode, Truths>()

export function truthsOf(node: CelNode): Truths {
  let truths = known.get(node)
  if (!truths) {
    truths = work(node)
    known.set(node, truths)
  }
  return truths
}

function work(node: CelNode): Truths {
  switch (node.op) {
    case 'value':
      return node.args === true ? { yes: always, no: never } : node.args === false ? { yes: never, no: always } : { yes: never, no: never }
    case '&&':
    case '||': {
      const [a, b] = node.args.map(truthsOf) as [Truths, Truths]
      return node.op === '&&' ? { yes: and([a.yes, b.yes]), no: or([a.no, b.no]) } : { yes: or([a.yes, b.yes]), no: and([a.no, b.no]) }
    }
    case '!_':
      return swap(truthsOf(node.args))
    case '?:': {
      const [test, then, other] = node.args.map(truthsOf) as [Truths, Truths, Truths]
      return {
        yes: or([and([test.yes, then.yes]), and([test.no, other.yes])]),
        no: or([and([test.yes, then.no]), and([test.no, other.no])]),
      }
    }
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return comparison(node.op, node.args[0], node.args[1])
    case 'in':
      return membership(node, node.args[0], node.args[1])
    case 'call':
      return node.args[0] === 'has' ? presence(node) : opaque(node)
    case 'rcall':
      return textTest(node) ?? opaque(node)
    default:
      return opaque(node)
  }
}

const swap = ({ yes, no }: Truths): Truths => ({ yes: no, no: yes })

/** Anything that is true, false or neither, in a way that is not looked into. */
function opaque(node: CelNode): Truths {
  return decided(termOf(node), flagged(isTrue), flagged(isFalse))
}
function decided(term: Term, yes: ValueSet, no: ValueSet): Truths {
  return { yes: is(term, yes), no: is(term, no) }
}

function presence(node: CelNode & { op: 'call' }): Truths {
  const [field] = node.args[1]
  if (!field || !pathOf(field)) return opaque(node)
  const term = termOf(field)
  const gone = is(term, flagged(absent))
  return { yes: is(term, present), no: term.parent ? and([is(term.parent, flagged(isMap)), gone]) : gone }
}

type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>='
const mirrored = { '==': '==', '!=': '!=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const

export function comparison(op: Comparison, left: CelNode, right: CelNode): Truths {
  if (left.op === '?:') return eitherWay(left.args, side => comparison(op, side, right))
  if (right.op === '?:') return eitherWay(right.args, side => comparison(op, left, side))
  const a = constantOf(left)
  const b = constantOf(right)
  if (a !== undefined && b !== undefined) return onConstants(op, a, b)
  if (b !== undefined) return withConstant(op, left, b)
  if (a !== undefined) return withConstant(mirrored[op], right, a)
  return between(op, left, right)
}

function eitherWay([test, then, other]: readonly [CelNode, CelNode, CelNode], compare: (side: CelNode) => Truths): Truths {
  const { yes, no } = truthsOf(test)
  const [a, b] = [compare(then), compare(other)]
  return { yes: or([and([yes, a.yes]), and([no, b.yes])]), no: or([and([yes, a.no]), and([no, b.no])]) }
}

function onConstants(op: Comparison, a: Constant, b: Constant): Truths {
  const sets = setsOf(op, b)
  if (!sets) return { yes: never, no: never }
  const one = constants([a])
  return { yes: overlap(one, sets.yes) ? always : never, no: overlap(one, sets.no) ? always : never }
}

function withConstant(op: Comparison, side: CelNode, constant: Constant): Truths {
  const sets = setsOf(op, constant)
  if (sets) return decided(termOf(side), sets.yes, sets.no)
  // Texts and booleans have an order that is not looked into.
  const ordered: Term = { key: `${textOf(side)} ${op} ${JSON.stringify(constant)}`, range: flagged(isTrue | isFalse), whole: false }
  const kind = typeof constant === 'string' ? stringsIn(allStrings) : flagged(isTrue | isFalse)
  const fits = is(termOf(side), kind)
  return { yes: and([fits, is(ordered, flagged(isTrue))]), no: and([fits, is(ordered, flagged(isFalse))]) }
}

/** What a term must be for the comparison to be true, and for it to be false. */
export function setsOf(op: Comparison, constant: Constant): { yes: ValueSet; no: ValueSet } | undefined {
  if (op === '==' || op === '!=') {
    const same = constants([constant])
    const other = { ...complement(same), flags: complement(same).flags & ~absent }
    return op === '==' ? { yes: same, no: other } : { yes: other, no: same }
  }
  if (constant === null || typeof constant === 'boolean' || typeof constant === 'string') return undefined
  const bound = constant instanceof Date ? constant.getTime() : constant
  const set = op === '<' || op === '<=' ? below(bound, op === '<') : above(bound, op === '>')
  const of = constant instanceof Date ? timesIn : numbersIn
  return { yes: of(set), no: of(complementOf(set)) }
}

/** Equality has no error of its own; order has. */
function between(op: Comparison, left: CelNode, right: CelNode): Truths {
  if (op === '!=') return swap(between('==', left, right))
  if (op === '>' || op === '>=') return between(mirrored[op], right, left)
  const [a, b] = [termOf(left), termOf(right)]
  const equality = op === '=='
  const key = (equality ? [a.key, b.key].sort() : [a.key, b.key]).join(` ${op} `)
  const relation: Term = { key, range: flagged(isTrue | isFalse | (equality ? 0 : absent)), whole: false }
  const both = [is(a, present), is(b, present)]
  return { yes: and([...both, is(relation, flagged(isTrue))]), no: and([...both, is(relation, flagged(isFalse))]) }
}

function membership(node: CelNode, item: CelNode, container: CelNode): Truths {
  const constant = constantOf(item)
  const path = pathOf(container)
  if (typeof constant === 'string' && path?.join('.') === 'principal.roles') {
    return decided(roleTerm(constant), flagged(isTrue), flagged(isFalse))
  }
  if (container.op === 'list') {
    const values = container.args.map(constantOf)
    if (values.every(value => value !== undefined)) {
      if (constant !== undefined)
        return overlap(constants([constant]), constants(values)) ? { yes: always, no: never } : { yes: never, no: always }
      const inside = constants(values)
      const outside = complement(inside)
      return decided(termOf(item), inside, { ...outside, flags: outside.flags & ~absent })
    }
  }
  if (!path) return opaque(node)
  const { yes, no } = opaque(node)
  if (typeof constant !== 'string') {
    const fits = is(termOf(container), flagged(isList | isMap))
    return { yes: and([fits, yes]), no: and([fits, no]) }
  }
  // Of a map it asks for a field.
  const field = fieldTerm([...path, constant])
  const inList = is(termOf(container), flagged(isList))
  const inMap = is(termOf(container), flagged(isMap))
  return {
    yes: or([and([inList, yes]), and([inMap, is(field, present)])]),
    no: or([and([inList, no]), and([inMap, is(field, flagged(absent))])]),
  }
}

const textTests = new Set(['startsWith', 'endsWith', 'contains', 'matches'])

function textTest(node: CelNode & { op: 'rcall' }): Truths | undefined {
  const [name, receiver, args] = node.args
  const text = args[0] && constantOf(args[0])
  if (!textTests.has(name) || args.length !== 1 || typeof text !== 'string') return undefined
  const test = stringsWith(name as 'startsWith', text)
  return decided(termOf(receiver), stringsIn(test), stringsIn(otherStrings(test)))
}
