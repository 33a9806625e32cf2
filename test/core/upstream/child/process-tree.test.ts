// Whose process is it: by group, by parents, by what was known before; never by a number alone.
import { describe, expect, it } from 'vitest'
import type { ProcessStat } from '../../../../core/upstream/child/proc-stat.ts'
import { findTree, straysOf } from '../../../../core/upstream/child/process-tree.ts'

function one(pid: number, parent: number, group: number, more: Partial<ProcessStat> = {}): ProcessStat {
  return { pid, parent, group, state: 'S', start: `s${pid}`, residentPages: 1, ...more }
}
const pids = (tree: readonly ProcessStat[]): number[] => tree.map(({ pid }) => pid).sort((a, b) => a - b)

describe('the processes of a server', () => {
  const machine = [
    one(1, 0, 1),
    one(50, 1, 50),
    one(100, 50, 100),
    one(101, 100, 100),
    one(102, 1, 100), // lost its parent, kept the group
    one(200, 101, 200), // has a session of its own
    one(201, 200, 200),
    one(202, 1, 200), // only its group says whose it is
    one(300, 1, 300), // a stranger
    one(301, 300, 300),
    one(103, 100, 100, { state: 'Z' }),
  ]

  it('are its group, what descends from it, and the groups of those; no stranger, no zombie', () => {
    const tree = findTree({ leaders: [100], known: [] }, machine)
    expect(pids(tree)).toEqual([100, 101, 102, 200, 201, 202])
    expect(pids(straysOf([100], tree))).toEqual([200, 201, 202])
  })

  it('are found by an earlier look when all their parents are gone, but not where the number is somebody else by now', () => {
    const orphans = [one(1, 0, 1), one(200, 1, 200), one(201, 200, 200), one(300, 1, 300)]
    expect(pids(findTree({ leaders: [100], known: [{ pid: 200, start: 's200' }] }, orphans))).toEqual([200, 201])
    expect(findTree({ leaders: [100], known: [{ pid: 300, start: 'earlier' }] }, orphans)).toEqual([])
  })
})
