// Which processes belong to a server: its group, whatever descends from it, and what once did, though its parents are gone.
import type { ProcessStat } from './proc-stat.ts'

/** One process of this boot, whoever gets its number later. */
export type Named = Pick<ProcessStat, 'pid' | 'start'>

export interface TreeRoots {
  /** Processes that lead a session each; what descends from them belongs to the tree. */
  readonly leaders: readonly number[]
  /** Known from an earlier look. */
  readonly known: readonly Named[]
}

/** All that run; zombies hold nothing. */
export function findTree({ leaders, known }: TreeRoots, all: readonly ProcessStat[]): readonly ProcessStat[] {
  const before = new Map(known.map(({ pid, start }) => [pid, start]))
  const children = gather(all, one => one.parent)
  const groups = gather(all, one => one.group)
  const found = new Map<number, ProcessStat>()
  for (const one of all) {
    if (leaders.includes(one.pid) || leaders.includes(one.group) || before.get(one.pid) === one.start) found.set(one.pid, one)
  }
  // Invariant: a group has members of one session alone, and the sessions in here were begun in here: the whole group is ours. And a map
  // is iterated in the order of insertion, what is added meanwhile included.
  for (const [pid, { group }] of found) {
    for (const child of children.get(pid) ?? []) found.set(child.pid, child)
    for (const fellow of groups.get(group) ?? []) found.set(fellow.pid, fellow)
    groups.delete(group)
  }
  return [...found.values()].filter(({ state }) => state !== 'Z' && state !== 'X')
}

/** Those that no signal to a group of the leaders reaches. */
export function straysOf(leaders: readonly number[], tree: readonly ProcessStat[]): readonly ProcessStat[] {
  return tree.filter(({ group }) => !leaders.includes(group))
}

/**
 * Invariant: they have just been found, each with the start time that is its own. Whole groups first: a member that is forking is killed
 * before its child could get away.
 */
export function killTree(tree: readonly ProcessStat[]): void {
  for (const target of [...new Set(tree.map(({ group }) => -group)), ...tree.map(({ pid }) => pid)]) {
    if (Math.abs(target) <= 1) continue
    try {
      process.kill(target, 'SIGKILL')
    } catch {
      // Already gone.
    }
  }
}

function gather(all: readonly ProcessStat[], by: (one: ProcessStat) => number): Map<number, ProcessStat[]> {
  const gathered = new Map<number, ProcessStat[]>()
  for (const one of all) {
    const those = gathered.get(by(one))
    if (those === undefined) gathered.set(by(one), [one])
    else those.push(one)
  }
  return gathered
}
