// Ends a managed process and everything it started: asks, then insists, then kills.
import type { ChildProcess } from 'node:child_process'
import type { Clock } from '../../plugin/index.ts'
import type { Cell } from './cell.ts'
import { askMembers, forgetGroup, isGroupAlive, signalGroup } from './process-group.ts'

export interface Patience {
  /** How long the process may take to end after its standard input has ended, ms. */
  readonly inputMs: number
  /** And after SIGTERM, ms. */
  readonly termMs: number
}

const killMs = 2000
const firstLookMs = 5
const longestLookMs = 100

/** Resolves once the group and its cell are empty, or can not be emptied. `child` was spawned as the leader of its own group. */
export async function endGroup(child: ChildProcess, pid: number, clock: Clock, patience: Patience, cell?: Cell): Promise<void> {
  const gone = (): boolean => hasExited(child) && !isGroupAlive(pid)
  // Before they lose the parents by which they are found.
  cell?.findStrays()
  child.stdin?.end()
  if (!(await waitUntil(gone, child, clock, patience.inputMs))) {
    cell?.findStrays()
    if (cell?.isLedByUs) askMembers(pid)
    else signalGroup(pid, 'SIGTERM')
    if (!(await waitUntil(gone, child, clock, patience.termMs))) {
      cell?.findStrays()
      // A leader of ours stays to reap the server: otherwise the first process of the machine has to, whenever it comes to that.
      if (cell?.isLedByUs) void cell.end()
      else signalGroup(pid, 'SIGKILL')
      await waitUntil(gone, child, clock, killMs)
    }
  }
  await cell?.end()
  forgetGroup(pid)
  // A descendant that left the group may hold our pipes; it must not hold us.
  for (const stream of child.stdio) stream?.destroy()
}

export function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

// Looks when the leader exits, and at growing intervals, because nothing tells us of the others.
function waitUntil(gone: () => boolean, child: ChildProcess, clock: Clock, limitMs: number): Promise<boolean> {
  return new Promise(resolve => {
    const end = clock.mono() + limitMs
    let interval = firstLookMs
    let cancel = (): void => {}
    function look(): void {
      cancel()
      const done = gone()
      const left = end - clock.mono()
      if (done || left <= 0) {
        child.off('exit', look)
        resolve(done)
        return
      }
      cancel = clock.after(Math.min(interval, left), look)
      interval = Math.min(interval * 2, longestLookMs)
    }
    child.on('exit', look)
    look()
  })
}
