// What Linux tells about processes: enough to know one again although process ids are reused.
import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessStat {
  readonly pid: number
  readonly state: string
  readonly parent: number
  readonly group: number
  /** Clock ticks since boot, as text; with the pid it names one process of this boot. */
  readonly start: string
  readonly residentPages: number
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
  const [state, parent, group] = fields
  const [start, , pages] = fields.slice(19)
  if (state === undefined || group === undefined || start === undefined) return undefined
  return { pid, state, parent: Number(parent), group: Number(group), start, residentPages: Number(pages) }
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

/** The most that a child can be given of it; infinite where unknown, or where there is no limit. */
export function readHardLimit(name: 'Max open files' | 'Max processes'): number {
  try {
    const line = readFileSync('/proc/self/limits', 'utf8')
      .split('\n')
      .find(one => one.startsWith(name))
    const hard = line?.slice(name.length).trim().split(/ +/)[1]
    return hard === undefined || hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

/** How many processes and threads there are on the machine. */
export function countTasks(): number {
  try {
    return Number(/\/(\d+) /.exec(readFileSync('/proc/loadavg', 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

let page: number | undefined

/** Found by counting our own memory in both ways; a power of two. */
export function pageBytes(): number {
  const pages = page === undefined ? readProcess(process.pid)?.residentPages : undefined
  if (pages !== undefined && pages > 0) page = 2 ** Math.round(Math.log2(process.memoryUsage.rss() / pages))
  return page ?? 4096
}
