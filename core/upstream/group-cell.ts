// A process group as the cell of a server: what leaves the group is found by its parents, and the warden stands by for our own end.
import type { Cell } from './cell.ts'
import { listProcesses, type ProcessStat } from './proc-stat.ts'
import { findTree, type Named, straysOf } from './process-tree.ts'
import type { Warden } from './warden.ts'

const rounds = 40
const roundMs = 25

export function createGroupCell(enclose: Cell['enclose'], warden: Warden): Cell {
  let leader: number | undefined
  let strays: readonly Named[] = []

  function findStrays(tree?: readonly ProcessStat[]): readonly Named[] {
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
    enclose,
    occupied(pid) {
      leader = pid
      warden.watch(pid)
    },
    findStrays,
    async end() {
      if (leader === undefined) return
      for (let round = 0; round < rounds && findStrays().length > 0; round++) {
        for (const { pid } of strays) kill(pid)
        await new Promise(resolve => setTimeout(resolve, roundMs))
      }
      warden.forget(leader)
    },
  }
}

/** Invariant: the process has just been seen, with the start time that is its own. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Already gone.
  }
}
