// Transport over the standard streams of a managed child process, which leads a process group of its own.
// Spec: basic/transports#stdio: messages are lines of UTF-8 JSON; standard error is free text and says nothing about success.
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { createLineFramer, type FramingFault } from '../../mcp/framer.ts'
import type { Clock, Log } from '../../plugin/index.ts'
import type { MessageKind, Transport, TransportEvents, TransportFault } from '../transport.ts'
import type { Cell } from './cell.ts'
import { findAnsweredId, firstCharacter } from './foreign-line.ts'
import { crashFault, type Program, spawnFault, spawnLeader } from './leader.ts'
import { createOutbox, type Outbox } from './outbox.ts'
import { trackGroup } from './process-group.ts'
import { createStderrRing, type StderrRing } from './stderr-ring.ts'
import { type StdioLimits, stdioLimits } from './stdio-limits.ts'
import { endGroup, hasExited, type Patience } from './termination.ts'

export interface StdioOptions extends Program {
  readonly clock: Clock
  readonly log: Log
  /** Takes the values of known secrets out of text. */
  readonly scrub: (text: string) => string
  readonly limits?: Partial<StdioLimits>
  /** Where it runs; without one, in its process group. */
  readonly openCell?: () => Promise<Cell>
  /** The process runs; it may not yet be a server. */
  readonly onSpawn?: (pid: number, cell: Cell | undefined) => void
  /** The process has ended, its group perhaps not yet. */
  readonly onExit?: (exit: ProcessExit) => void
  /** Nothing of its process group is left. */
  readonly onGone?: (pid: number) => void
}

export interface ProcessExit {
  readonly pid: number
  readonly code: number | null
  readonly signal: string | null
}

/** What was dropped so far, for health. */
export interface StdioCounts {
  readonly garbage: number
  readonly oversize: number
  readonly unsent: number
}

export interface StdioTransport extends Transport {
  readonly pid: number | undefined
  /** Found out by others, where the pipe itself does not tell. */
  noticeClosed(pipe: 'input' | 'output'): void
  /** Ends it at once, asking nothing. */
  kill(fault: TransportFault): void
  readonly counts: StdioCounts
  /** Last lines of standard error, scrubbed and printable: for the operator alone. */
  stderrTail(): readonly string[]
}

// After an exit the last answers may still be in the pipe, and after its end the exit status is about to come: wait for the other a little.
const lastWordsMs = 100

const stdoutMark = Buffer.from('stdout: ')
const newline = Buffer.from('\n')

type Running = {
  readonly child: ChildProcessWithoutNullStreams
  readonly pid: number
  readonly cell: Cell | undefined
  readonly outbox: Outbox
  readonly stderr: StderrRing
}

export function createStdioTransport(options: StdioOptions): StdioTransport {
  const { clock, log, server } = options
  const limits = { ...stdioLimits, ...options.limits }
  const counts = { garbage: 0, oversize: 0, unsent: 0 }
  let running: Running | undefined
  let events: TransportEvents | undefined
  let opened = false
  let garbageInRow = 0
  let lost = false
  let outputEnded = false
  let lastWords: (() => void) | undefined
  let gone: Promise<void> | undefined
  let preparing: Promise<void> | undefined

  const framer = createLineFramer({ maxBytes: limits.lineBytes, onLine: receive, onFault: receiveFault })

  function open(to: TransportEvents): Promise<void> {
    if (opened) throw new Error('a transport is opened once')
    opened = true
    const attempt = startInCell(to)
    preparing = attempt.catch(() => {})
    return attempt
  }

  async function startInCell(to: TransportEvents): Promise<void> {
    const cell = await options.openCell?.()
    try {
      await start(to, cell === undefined ? options : await cell.enclose(options), cell)
    } catch (fault) {
      await cell?.end()
      throw fault
    }
  }

  function start(to: TransportEvents, program: Program, cell: Cell | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const refuse = (error: unknown): void => reject(spawnFault(options, error))
      if (lost) return refuse('it was closed before it was opened')
      let child: ChildProcessWithoutNullStreams
      try {
        child = spawnLeader(program)
      } catch (error) {
        return refuse(error)
      }
      // Pipe errors (EPIPE) come as events and would end the gateway if nobody listened; `error` also tells of a spawn that failed.
      child.on('error', refuse)
      // Without a free file descriptor there are no pipes at all, whatever the type says.
      for (const stream of child.stdio ?? []) stream?.on('error', () => {})
      const pid = child.pid
      if (pid === undefined) return
      trackGroup(pid)
      events = to
      cell?.occupied(pid)
      running = { child, pid, cell, outbox: createOutbox(child.stdin, limits.queueBytes), stderr: drainStderr() }
      attach(running)
      options.onSpawn?.(pid, cell)
      resolve()
    })
  }

  function drainStderr(): StderrRing {
    return createStderrRing({
      clock,
      bytes: limits.stderrBytes,
      linesPerSecond: limits.stderrLinesPerSecond,
      scrub: options.scrub,
      onLine: (line, suppressed) => log.debug('server stderr', suppressed > 0 ? { server, line, suppressed } : { server, line }),
    })
  }

  function attach({ child, pid, stderr }: Running): void {
    child.stdout.on('data', (chunk: Buffer) => framer.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.stdout.once('close', () => {
      outputEnded = true
      endSoon()
    })
    child.stdin.once('close', endSoon)
    child.stdin.on('drain', () => events?.drained?.())
    child.once('exit', (code, signal) => {
      options.onExit?.({ pid, code, signal })
      endSoon()
    })
  }

  function endSoon(): void {
    if (running === undefined || lost) return
    if (hasExited(running.child) && outputEnded) loseNow()
    else lastWords ??= clock.after(lastWordsMs, loseNow)
  }

  function loseNow(): void {
    if (running !== undefined) void lose(crashFault(server, running.child, outputEnded))
  }

  function receive(line: Buffer): void {
    const first = firstCharacter(line)
    if (first === '{' || first === '[') {
      garbageInRow = 0
      events?.message(line, undefined)
    } else if (first !== undefined) {
      if (counts.garbage++ === 0) log.warn('server writes something that is no message to its output; it is dropped', { server })
      // Free text, like standard error, and treated as such.
      running?.stderr.push(Buffer.concat([stdoutMark, line.subarray(0, 8000), newline]))
      if (++garbageInRow >= limits.garbageLines) garbled(`wrote ${garbageInRow} lines in a row that are no messages`)
    }
  }

  function receiveFault(fault: FramingFault): void {
    if (fault.kind === 'runaway') return garbled(`wrote a line of more than ${fault.bytes} bytes`)
    counts.oversize++
    const id = findAnsweredId(fault.head, fault.tail)
    log.warn('server wrote a line over the limit; dropped', { server, bytes: fault.bytes, limit: limits.lineBytes })
    if (id !== undefined)
      events?.failed(id, { code: 'upstream-garbage', detail: `${server}: an answer of ${fault.bytes} bytes is over the limit` })
  }

  function garbled(what: string): void {
    void lose({ code: 'upstream-garbage', detail: `${server}: ${what}` })
  }

  function send(message: Uint8Array, about: MessageKind): void {
    if (lost) return
    if (running === undefined) throw new Error('a transport is opened before it is used')
    if (running.outbox.push(message)) return
    if (counts.unsent++ === 0) log.warn('server does not read its input; what does not fit in the queue is not sent', { server })
    if (about.kind === 'other') return
    const fault: TransportFault = { code: 'upstream-unavailable', detail: `${server}: does not read its input; the queue is full` }
    queueMicrotask(() => {
      if (!lost) events?.failed(about.id, fault)
    })
  }

  // The only way to the end, whoever began it.
  function lose(fault: TransportFault, patience: Patience = { inputMs: 0, termMs: limits.termMs }): Promise<void> {
    if (gone !== undefined) return gone
    lost = true
    lastWords?.()
    framer.stop()
    gone = running === undefined ? Promise.resolve(preparing) : end(running, patience)
    if (running !== undefined) queueMicrotask(() => events?.closed(fault))
    return gone
  }

  async function end({ child, pid, cell }: Running, patience: Patience): Promise<void> {
    await endGroup(child, pid, clock, patience, cell)
    options.onGone?.(pid)
  }

  return {
    open,
    send,
    get backedUp() {
      return running?.outbox.backedUp ?? false
    },
    close: () => lose({ code: 'upstream-unavailable', detail: `${server}: closed by the gateway` }, limits),
    get pid() {
      return running?.pid
    },
    noticeClosed(pipe) {
      if (pipe === 'output') outputEnded = true
      endSoon()
    },
    kill: fault => void lose(fault, { inputMs: 0, termMs: 0 }),
    counts,
    stderrTail: () => running?.stderr.tail() ?? [],
  }
}
