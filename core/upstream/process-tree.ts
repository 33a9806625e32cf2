// Which processes belong to a server: its group, whatever descends from it, and what once did, though its parents are gone.
import type { ProcessStat } from './proc-stat.ts'

/** One process of this boot, whoever gets its number later. */
export type Named = Pick<ProcessStat, 'pid' | 'start'>

export interface TreeRoots {
  /** Processes that lead a group each; what descends from them belongs to the tree. */
  readonly leaders: readonly number[]
  /** Known from an earlier look. */
  readonly known: readonly Named[]
}

/** All that run; zombies hold nothing. */
export function findTree({ leaders, known }: TreeRoots, all: readonly ProcessStat[]): readonly ProcessStat[] {
  const before = new Map(known.map(({ pid, start }) => [pid, start]))
  const children = new Map<number, ProcessStat[]>()
  const found = new Map<number, ProcessStat>()
  for (const one of all) {
    const siblings = children.get(one.parent)
    if (siblings === undefined) children.set(one.parent, [one])
    else siblings.push(one)
    if (leaders.includes(one.pid) || leaders.includes(one.group) || before.get(one.pid) === one.start) found.set(one.pid, one)
  }
  // Invariant: a map is iterated in the order of insertion, what is added meanwhile included.
  for (const pid of found.keys()) for (const child of children.get(pid) ?? []) found.set(child.pid, child)
  return [...found.values()].filter(({ state }) => state !== 'Z' && state !== 'X')
}

/** Those that no signal to a group of the leaders reaches. */
export function straysOf(leaders: readonly number[], tree: readonly ProcessStat[]): readonly Named[] {
  return tree.filter(({ group }) => !leaders.includes(group)).map(({ pid, start }) => ({ pid, start }))
}
