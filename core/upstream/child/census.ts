// Counts what the processes of each server take, and says so when it is too much: limits of the kernel do not bind root, or kill V8.
import { readdirSync } from 'node:fs'
import type { ProcessLimits } from '../../config/schema.ts'
import type { Clock } from '../../plugin/index.ts'
import { countTasks, type ProcessStat, pageBytes, readProcess } from './proc-stat.ts'
import { findTree } from './process-tree.ts'

export interface Watched {
  /** Processes that lead a group of this server each. */
  readonly leaders: readonly number[]
  /** So many of the tree are ours, and do not count. */
  readonly ownProcesses: number
  readonly limits: ProcessLimits
  /** Once, and the last call. `what` goes after "the server". */
  onExcess(what: string): void
  /** Each time it is looked at. */
  onTree?(tree: readonly ProcessStat[]): void
}

export interface Census {
  /** Returns how to stop it. Does nothing where the system does not tell of processes as Linux does. */
  watch(watched: Watched): () => void
}

/** Memory is looked at this often, and so are new processes of whoever it may be. */
const LOOK_MS = 500
/** This often it is asked how many there are, in one small file; many new ones are looked at at once. */
const GLANCE_MS = 100
const MANY_NEW = 64
/** Each so many looks, all of the machine's processes are read anew; in between, those that were a stranger's are still a stranger's. */
const ANEW = 20

export function createCensus(clock: Clock): Census {
  const entries = new Map<Watched, readonly ProcessStat[]>()
  let strangers = new Set<number>()
  let looks = 0
  let tasks = 0
  let lookedAt = 0
  let isGlancing = false

  function glance(): void {
    if (entries.size === 0) {
      isGlancing = false
      return
    }
    const now = countTasks()
    if (clock.mono() - lookedAt >= LOOK_MS || now - tasks >= MANY_NEW) look()
    clock.after(GLANCE_MS, glance)
  }

  function look(): void {
    if (looks++ % ANEW === 0) strangers = new Set()
    const all = readdirSync('/proc').flatMap(name => {
      const pid = Number(name)
      return Number.isInteger(pid) && !strangers.has(pid) ? (readProcess(pid) ?? []) : []
    })
    const before = strangers
    strangers = new Set([...before, ...all.map(({ pid }) => pid)])
    for (const [watched, known] of entries) {
      const tree = findTree({ leaders: watched.leaders, known }, all)
      for (const { pid } of tree) strangers.delete(pid)
      entries.set(watched, tree)
    }
    for (const [watched, tree] of entries) {
      watched.onTree?.(tree)
      const what = excess(watched, tree)
      if (what !== undefined && entries.delete(watched)) watched.onExcess(what)
    }
    tasks = countTasks()
    lookedAt = clock.mono()
  }

  return {
    watch(watched) {
      if (process.platform !== 'linux') return () => {}
      entries.set(watched, [])
      tasks ||= countTasks()
      if (!isGlancing) clock.after(GLANCE_MS, glance)
      isGlancing = true
      return () => void entries.delete(watched)
    },
  }
}

function excess({ limits, ownProcesses }: Watched, tree: readonly ProcessStat[]): string | undefined {
  const processes = tree.length - ownProcesses
  if (processes > limits.processes) return `ran ${processes} processes; its limit is ${limits.processes}`
  const bytes = tree.reduce((sum, { residentPages }) => sum + residentPages, 0) * pageBytes()
  return bytes > limits.memoryBytes ? `took ${mebibytes(bytes)} of memory; its limit is ${mebibytes(limits.memoryBytes)}` : undefined
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024 ** 2)} MiB`
}
