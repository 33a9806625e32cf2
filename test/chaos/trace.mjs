// Reads what strace saw of a gateway: when each record became durable, and when each call was sent on and each reply was written.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'

/** What strace has to show: whole arguments, names of files, all threads in one order. A call of the system is written down before the process goes on. */
export const STRACE = ['-f', '-y', '-qq', '--signal=none', '--seccomp-bpf', '-s', '1000000']
export const CALLS = 'read,write,writev,sendto,sendmsg,pwrite64,fsync,fdatasync'

/**
 * Places in the order of the trace.
 * @typedef {object} Trace
 * @property {Map<string, number>} durable `STREAM:SEQ` -> where the store said so: an fsync returned that began after the record was written, or PostgreSQL answered
 * @property {Map<string, number>} upstream marker -> where the first byte of the request was written
 * @property {Map<string, number>} replies marker -> where the first byte of the answer was written
 * @property {number} syncs of the store
 */

/** Markers of calls are `mark-` and letters, digits or hyphens, ended by a dot. */
const MARKER = /mark-[a-z0-9-]+(?=\.)/g
const RECORD = /"stream":"([^"]+)","seq":(\d+),"type":/g
const LINE = /^(\d+) +(?:<\.\.\. (\w+) resumed>(.*)|(\w+)\((.*))$/
/** ReadyForQuery of PostgreSQL, outside of a transaction. */
const IDLE = 'Z\\0\\0\\0\\5I'

/**
 * @param {string} file as `strace -o FILE` wrote it
 * @param {'sqlite' | 'postgres'} store
 * @returns {Promise<Trace>}
 */
export async function readTrace(file, store) {
  const reader = createTraceReader(store)
  let place = 0
  for await (const line of createInterface({ input: createReadStream(file, 'latin1'), crlfDelay: Number.POSITIVE_INFINITY })) {
    reader.take(line, ++place)
  }
  return reader.trace
}

/** @param {'sqlite' | 'postgres'} store */
export function createTraceReader(store) {
  /** @type {Trace} */
  const trace = { durable: new Map(), upstream: new Map(), replies: new Map(), syncs: 0 }
  const isNew = createSeen()
  /** Written, by the file or the connection that holds them. @type {Map<string, Set<string>>} */
  const written = new Map()
  /** Begun by a thread and not returned. @type {Map<string, { name: string, text: string, fd: string, covered: readonly string[] }>} */
  const begun = new Map()
  /** Where a request or an answer began whose head was written alone. @type {Map<string, number>} */
  const heads = new Map()

  /** @param {string} name @param {string} fd */
  const isSync = (name, fd) => store === 'sqlite' && name.endsWith('sync') && fd.includes('-wal>')
  /** @param {string} fd */
  const heldBy = fd => written.get(fd) ?? new Set()

  /** @param {string} name @param {string} text @param {string} fd @param {number} place */
  function begin(name, text, fd, place) {
    if (!/^(write|writev|sendto|sendmsg)$/.test(name)) return
    const plain = text.replaceAll('\\', '')
    const markers = new Set(plain.match(MARKER))
    const starts = /"(POST|HTTP\/1\.1 )/.test(text)
    if (markers.size === 0) {
      if (starts) heads.set(fd, place)
      return
    }
    const first = starts ? place : (heads.get(fd) ?? place)
    heads.delete(fd)
    const side = plain.includes('"method":"tools/call"') ? trace.upstream : trace.replies
    for (const marker of markers) if (!side.has(marker)) side.set(marker, first)
  }

  /** @param {string} name @param {string} text @param {string} fd @param {readonly string[]} covered @param {string} end @param {number} place */
  function finish(name, text, fd, covered, end, place) {
    const result = Number(/\) += (-?\d+)/.exec(end)?.[1] ?? -1)
    if (result < 0) return
    const isDurable = isSync(name, fd) || (store === 'postgres' && name === 'read' && end.includes(IDLE))
    if (isDurable) {
      if (name !== 'read') trace.syncs++
      for (const id of covered) {
        if (!trace.durable.has(id)) trace.durable.set(id, place)
        heldBy(fd).delete(id)
      }
    } else if (store === 'sqlite' ? name === 'pwrite64' && fd.includes('-wal>') : /^(write|writev|sendto|sendmsg)$/.test(name)) {
      const ids = Array.from(text.replaceAll('\\', '').matchAll(RECORD), found => `${found[1]}:${found[2]}`).filter(isNew)
      if (ids.length === 0) return
      const held = heldBy(fd)
      for (const id of ids) held.add(id)
      written.set(fd, held)
    }
  }

  return {
    trace,
    /** @param {string} line @param {number} place */
    take(line, place) {
      const [, thread = '', resumed, rest = '', name = '', args = ''] = LINE.exec(line) ?? []
      if (resumed !== undefined) {
        const call = begun.get(thread)
        begun.delete(thread)
        if (call?.name === resumed) finish(call.name, call.text, call.fd, call.covered, rest, place)
        return
      }
      if (name === '') return
      const fd = /^\d+<[^>]*>/.exec(args)?.[0] ?? ''
      // What an fsync covers is what was written when it began; an answer covers what was asked before.
      const covered = isSync(name, fd) || name === 'read' ? Array.from(heldBy(fd)) : []
      begin(name, args, fd, place)
      if (args.endsWith('<unfinished ...>')) begun.set(thread, { name, text: args, fd, covered })
      else finish(name, args, fd, covered, args, place)
    },
  }
}

/** @returns {(id: string) => boolean} a page is written again with each record that is added to it: the first time counts */
function createSeen() {
  const seen = new Set()
  return id => !seen.has(id) && Boolean(seen.add(id))
}
