// What Linux tells about processes: enough to know one again although process ids are reused.
import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessStat {
  readonly pid: number
  readonly state: string
  readonly group: number
  /** Clock ticks since boot, as text; with the pid it names one process of this boot. */
  readonly start: string
}

/** Undefined where the process is gone, and everywhere but on Linux. */
export function readProcess(pid: number): ProcessStat | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  // The command name stands in parentheses and may itself contain blanks and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, , group] = fields
  const start = fields[19]
  if (state === undefined || group === undefined || start === undefined) return undefined
  return { pid, state, group: Number(group), start }
}

export function listProcesses(): readonly ProcessStat[] {
  let names: string[]
  try {
    names = readdirSync('/proc')
  } catch {
    return []
  }
  return names.flatMap(name => (/^\d+$/.test(name) ? (readProcess(Number(name)) ?? []) : []))
}

/** Changes with every boot of the machine; empty where unknown. */
export function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}
