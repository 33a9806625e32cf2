// The kernel's own bound on processes and threads in a namespace: it cannot tell them apart, so it is wide, but no fork bomb outruns it.
import { readFileSync, writeFileSync } from 'node:fs'
import { release } from 'node:os'

/** `pid-max`: a number of the PID namespace itself, for root. `rlimit`: counted in the user namespace. */
export type TaskLimit = 'pid-max' | 'rlimit' | 'none'

// Node has eleven threads.
const THREADS = 12
const SPARE = 64
// The kernel hands out the numbers below it only once.
const RESERVED = 301

/** So many tasks may be needed for so many processes. */
export function tasksFor(processes: number): number {
  return Math.max(processes * THREADS + SPARE, RESERVED)
}

/** By the version of the kernel; what root can do is yet to be proved by `isOwnPidMax`. */
export function chooseTaskLimit(isRoot: boolean, version: string = release()): TaskLimit {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isFrom = (from: readonly [number, number]): boolean => major > from[0] || (major === from[0] && minor >= from[1])
  if (isRoot) return isFrom([6, 14]) ? 'pid-max' : 'none'
  return isFrom([5, 14]) ? 'rlimit' : 'none'
}

export const PID_MAX_FILE = '/proc/sys/kernel/pid_max'

export function readPidMax(): number {
  try {
    return Number(readFileSync(PID_MAX_FILE, 'utf8'))
  } catch {
    return 0
  }
}

/** Invariant: the number is only written where this was true: elsewhere it would be that of the whole machine. Puts it back if so. */
export function isOwnPidMax(before: number): boolean {
  if (before > 0 && readPidMax() === before) return true
  try {
    writeFileSync(PID_MAX_FILE, String(before))
  } catch {
    // Then it was not we who changed it.
  }
  return false
}
