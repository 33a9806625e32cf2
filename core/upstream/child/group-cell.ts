// A process group as the cell of a server: what leaves the group is found by its parents, and the warden stands by for our own end.
import type { Cell } from './cell.ts'
import { listProcesses, type ProcessStat } from './proc-stat.ts'
import { findTree, killTree, straysOf } from './process-tree.ts'
import type { Warden } from './warden.ts'

const rounds = 40
const roundMs = 25

export function createGroupCell(enclose: Cell['enclose'], warden: Warden): Cell {
  let leader: number | undefined
  let strays: readonly ProcessStat[] = []

  function findStrays(tree?: readonly ProcessStat[]): readonly ProcessStat[] {
    if (leader === undefined) return strays
    const leaders = [leader]
    strays = straysOf(leaders, tree ?? findTree({ leaders, known: strays }, listProcesses()))
    warden.strays(leader, strays)
    return strays
  }

  return {
    isolation: 'group',
    holder: undefined,
    ownProcesses: 0,
    isLedByUs: false,
    enclose(program) {
      warden.arm()
      return enclose(program)
    },
    occupied(pid) {
      leader = pid
      warden.watch(pid)
    },
    findStrays,
    async end() {
      if (leader === undefined) return
      for (let round = 0; round < rounds && findStrays().length > 0; round++) {
        killTree(strays)
        await new Promise(resolve => setTimeout(resolve, roundMs))
      }
      warden.forget(leader)
    },
  }
}
