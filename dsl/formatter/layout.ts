// Which tokens of a file begin a line of their own, how far it is indented, and how wide its first word is.
import type { IToken } from 'chevrotain'
import type { Item, PolicyFile, Rule, Test } from '../ast.ts'

export interface Place {
  readonly kind: 'header' | 'let' | 'targets' | 'rule' | 'test' | 'clause' | 'close'
  readonly indent: number
  /** Column of what stands behind the first word; 0: one space. */
  readonly pad: number
}

const CLAUSE_WIDTH = 'because '.length
const TEST_WIDTH = 'expect '.length

/** By offset in the text. */
export function placesOf(file: PolicyFile, tokens: readonly IToken[]): ReadonlyMap<number, Place> {
  const places = new Map<number, Place>()
  const before = wordBefore(tokens)
  if (tokens[0] !== undefined) places.set(tokens[0].startOffset, { kind: 'header', indent: 0, pad: 0 })
  for (const item of file.items) {
    places.set(item.span.start, { kind: item.kind, indent: 0, pad: 0 })
    for (const start of clausesOf(item, before))
      places.set(start, { kind: 'clause', indent: 2, pad: item.kind === 'rule' ? CLAUSE_WIDTH : TEST_WIDTH })
    if (item.kind === 'rule' || item.kind === 'test') places.set(item.span.end - 1, { kind: 'close', indent: 0, pad: 0 })
  }
  return places
}

type Before = (offset: number) => number

function wordBefore(tokens: readonly IToken[]): Before {
  const starts = new Map(tokens.map((token, i) => [token.startOffset, tokens[i - 1]?.startOffset ?? 0]))
  return offset => starts.get(offset)!
}

function clausesOf(item: Item, before: Before): readonly number[] {
  if (item.kind === 'rule') return rule(item)
  return item.kind === 'test' ? test(item, before) : []
}

const rule = ({ clauses }: Rule): number[] => clauses.map(({ span }) => span.start)

/** `from` stands beside `at`, where there is one. */
function test({ as, given, at, from, target, expect }: Test, before: Before): number[] {
  const when = at ?? from
  return [
    before(as.span.start),
    ...(given[0] === undefined ? [] : [before(given[0].event.span.start)]),
    ...(when === undefined ? [] : [before(when.span.start)]),
    before(target.span.start),
    expect.span.start,
  ]
}
