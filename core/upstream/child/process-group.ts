// Process groups of managed servers: killed whole, counted while they live, and never left behind when the gateway ends.
import { listProcesses } from './proc-stat.ts'

const groups = new Set<number>()
let exitHandled = false

/** From here on the group dies with this process, except where this process is killed with SIGKILL. */
export function trackGroup(pid: number): void {
  groups.add(pid)
  if (exitHandled) return
  exitHandled = true
  // Runs after process.exit() and after an uncaught error too; signals reach it through the handlers of the run command.
  process.on('exit', killAllGroups)
}

/** Invariant: called as soon as the group is empty, before the system can give its number to somebody else. */
export function forgetGroup(pid: number): void {
  groups.delete(pid)
}

/** Kills every tracked group at once, synchronously. */
export function killAllGroups(): void {
  for (const pid of groups) signalGroup(pid, 'SIGKILL')
}

/** On Windows there are no groups: the process itself is ended. */
export function signalGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (!groups.has(pid)) return
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal)
  } catch {
    // Already gone.
  }
}

/** Asks the members of a group to end, but for its leader. Linux alone. */
export function askMembers(leader: number): void {
  for (const { pid, group } of listProcesses()) {
    if (group !== leader || pid === leader) continue
    try {
      process.kill(pid, 'SIGTERM')
    } catch {
      // Already gone.
    }
  }
}

/** Whether a process of the group still runs. Zombies do not count: they hold nothing and nobody can kill them. */
export function isGroupAlive(pid: number): boolean {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 0)
  } catch (error) {
    return process.platform === 'linux' && (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  if (process.platform !== 'linux') return true
  return listProcesses().some(one => one.group === pid && one.state !== 'Z' && one.state !== 'X')
}
