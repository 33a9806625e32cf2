// Finds server processes that a killed gateway left behind, and ends them: one small file per child says which processes they were.
import { lstatSync, mkdirSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { listProcesses, readBootId, readProcess } from './proc-stat.ts'
import { findTree, killTree, type Named } from './process-tree.ts'

export interface Leftovers {
  /** A child leads the process group `pid`. Again once it serves: then what it has started by now is noted with it; `strays` have left the group. */
  note(pid: number, strays?: readonly Named[]): void
  /** Its group is empty. */
  forget(pid: number): void
}

type Note = { readonly boot: string; readonly members: readonly Named[]; readonly strays?: readonly Named[]; readonly owner: Named }

/** `folder` is created; several gateways may share it. Does nothing where the system does not tell start times. */
export function createLeftovers(folder: string): Leftovers {
  const boot = readBootId()
  const owner = { pid: process.pid, start: readProcess(process.pid)?.start ?? '' }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return {
    note(pid, strays = []) {
      const members = listProcesses().filter(one => one.group === pid)
      if (members.length === 0) return
      const note: Note = { boot, members: members.map(nameOf), strays: strays.map(nameOf), owner }
      try {
        writeFileSync(join(folder, `${pid}.json`), JSON.stringify(note), { mode: 0o600 })
      } catch {
        // A full disk must not keep a server from starting: the note is a second net, under the exit handler.
      }
    },
    forget: pid => remove(join(folder, `${pid}.json`)),
  }
}

/** Ends the groups of gateways that are gone; returns their leaders' process ids. Run once, before servers start. */
export function reapLeftovers(folder: string): readonly number[] {
  const boot = readBootId()
  return listNotes(folder).flatMap(({ path, pid, note }) => {
    const hasOwner = note !== undefined && note.boot === boot && readProcess(note.owner.pid)?.start === note.owner.start
    if (hasOwner) return []
    remove(path)
    // Invariant: a group is only ended where it holds a process whose boot, pid and start time are those noted; a number alone may belong
    // to a stranger. One such process proves the group: while it lived, nobody else could get the number.
    const isThisBoot = note !== undefined && note.boot === boot && boot !== ''
    const isOurs = isThisBoot && note.members.some(member => isIn(pid, member))
    const isGroupOurs = isOurs && kill(-pid)
    const strays = isThisBoot ? killStrays(note.strays) : []
    return isGroupOurs ? [pid, ...strays] : strays
  })
}

/** And what they have started by now. */
function killStrays(known: readonly Named[] = []): readonly number[] {
  if (!Array.isArray(known) || known.length === 0) return []
  const tree = findTree({ leaders: [], known }, listProcesses())
  killTree(tree)
  return tree.map(({ pid }) => pid)
}

function nameOf({ pid, start }: Named): Named {
  return { pid, start }
}

function isIn(group: number, { pid, start }: Named): boolean {
  const found = readProcess(pid)
  return found?.start === start && found.group === group
}

function listNotes(folder: string): readonly { path: string; pid: number; note: Note | undefined }[] {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch {
    return []
  }
  return (
    names
      // Invariant: never group 1 or 0: to the system -1 means every process there is.
      .filter(name => /^[1-9]\d{0,9}\.json$/.test(name) && name !== '1.json')
      .map(name => ({ path: join(folder, name), pid: Number.parseInt(name, 10), note: readNote(join(folder, name)) }))
  )
}

function readNote(path: string): Note | undefined {
  try {
    if (!lstatSync(path).isFile()) return undefined
    const note = JSON.parse(readFileSync(path, 'utf8'))
    return Array.isArray(note?.members) && typeof note.boot === 'string' && typeof note.owner?.pid === 'number' ? note : undefined
  } catch {
    return undefined
  }
}

function kill(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL')
    return true
  } catch {
    return false
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Somebody else has removed it.
  }
}
