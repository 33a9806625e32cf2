// Transport to a server that the gateway starts itself: stdio under the supervisor's rules, with time limits for start and idleness.
import { type ChildServer, defaults } from '../../config/schema.ts'
import type { Clock, Log } from '../../plugin/index.ts'
import type { MessageKind, Transport, TransportEvents, TransportFault } from '../transport.ts'
import type { Cell } from './cell.ts'
import type { Cells } from './cells.ts'
import type { Census } from './census.ts'
import { childEnvironment } from './env.ts'
import type { Leftovers } from './leftovers.ts'
import { watchPipes } from './pipe-watch.ts'
import type { Named } from './process-tree.ts'
import { createStdioTransport, type ProcessExit, type StdioCounts, type StdioTransport } from './stdio.ts'
import type { StdioLimits } from './stdio-limits.ts'
import type { Start, Supervisor } from './supervisor.ts'

/** What is needed of a server's configuration. `idleMs` 0: never stopped for idleness. */
export interface ManagedServer extends Pick<ChildServer, 'id' | 'command' | 'args' | 'env' | 'cwd' | 'isolation' | 'processes'> {
  readonly timeout: Pick<ChildServer['timeout'], 'startMs' | 'idleMs'>
}

export interface ManagedDeps {
  readonly supervisor: Supervisor
  readonly clock: Clock
  readonly log: Log
  readonly scrub: (text: string) => string
  /** Asked before an idle stop: requests are pending, or somebody listens to a subscription. */
  readonly isBusy: () => boolean
  readonly leftovers?: Leftovers
  readonly cells?: Cells
  readonly census?: Census
  readonly limits?: Partial<StdioLimits>
}

export interface ManagedTransport extends Transport {
  /** The server has answered `initialize`. Until then `startMs` runs; after it the connection is closed as failed. */
  negotiated(): void
  /** The server will not do (it refused `initialize`, say): counts as a failed start and closes. */
  reject(fault: TransportFault): Promise<void>
  /** What was dropped so far, for health. */
  readonly counts: StdioCounts
  /** Last lines of standard error, scrubbed and printable: for the operator alone. */
  stderrTail(): readonly string[]
}

const lastWords = 5

/** One connection, opened once; for the next one, make a new transport with the same supervisor. */
export function createManagedTransport(server: ManagedServer, deps: ManagedDeps): ManagedTransport {
  const { cells, clock, supervisor } = deps
  const limits = server.processes ?? defaults.processes
  let start: Start | undefined
  let events: TransportEvents | undefined
  // What we found out ourselves is told instead of what closing the process then looks like.
  let verdict: TransportFault | undefined
  let closing = false
  let lost = false
  let isUp = false
  let lastExit: { code: number | null; signal: string | null } | undefined
  let lastTraffic = 0
  let stopTimer = (): void => {}
  let stopWatch = (): void => {}
  let strays: readonly Named[] = []
  let holder: number | undefined

  const stdio: StdioTransport = createStdioTransport({
    server: server.id,
    command: server.command,
    args: server.args,
    env: childEnvironment(server.env),
    ...(server.cwd !== undefined && { cwd: server.cwd }),
    clock,
    log: deps.log,
    scrub: deps.scrub,
    ...(deps.limits && { limits: deps.limits }),
    ...(cells && { openCell: () => cells.open(server.isolation ?? 'auto', limits) }),
    onSpawn,
    onExit,
    onGone: forget,
  })

  function onSpawn(pid: number, cell: Cell | undefined): void {
    deps.leftovers?.note(pid)
    if (cell?.holder !== undefined) deps.leftovers?.note(cell.holder)
    holder = cell?.holder
    start?.spawned(pid, cell?.isolation)
    const pipes = cell?.isLedByUs ? watchPipes(pid) : undefined
    const unwatch = deps.census?.watch({
      leaders: holder === undefined ? [pid] : [pid, holder],
      ownProcesses: cell?.ownProcesses ?? 0,
      limits,
      onTree(tree) {
        const found = cell?.findStrays(tree) ?? []
        const isNew = found.map(one => one.pid).join() !== strays.map(one => one.pid).join()
        strays = found
        if (isNew) deps.leftovers?.note(pid, strays)
        const closed = pipes?.findClosed(tree, isUp)
        if (closed !== undefined) stdio.noticeClosed(closed)
      },
      onExcess(what) {
        verdict ??= { code: 'upstream-crashed', detail: `${server.id}: ${what}; it was killed` }
        stdio.kill(verdict)
      },
    })
    if (unwatch !== undefined) stopWatch = unwatch
  }

  function forget(pid: number): void {
    stopWatch()
    deps.leftovers?.forget(pid)
    if (holder !== undefined) deps.leftovers?.forget(holder)
  }

  async function open(to: TransportEvents): Promise<void> {
    const admission = supervisor.admitStart()
    if (admission.kind === 'refused') {
      const { retryAfterMs, why, full } = admission
      throw {
        code: 'upstream-unavailable',
        detail: `${server.id}: ${why}`,
        retryAfterMs,
        ...(full && { planned: true }),
      } satisfies TransportFault
    }
    start = admission
    events = to
    try {
      await stdio.open({
        message: receive,
        failed: (id, fault) => to.failed(id, fault),
        drained: () => to.drained?.(),
        closed: fault => closed(fault),
      })
    } catch (fault) {
      start.ended({ failed: !closing, detail: (fault as TransportFault).detail })
      throw fault
    }
    lastTraffic = clock.mono()
    stopTimer = clock.after(server.timeout.startMs, () => {
      const detail = `${server.id}: not ready ${server.timeout.startMs} ms after its start`
      void reject({ code: 'upstream-timeout', detail })
    })
  }

  function receive(bytes: Uint8Array, during: number | undefined): void {
    lastTraffic = clock.mono()
    events?.message(bytes, during)
  }

  function send(message: Uint8Array, about: MessageKind): void {
    lastTraffic = clock.mono()
    stdio.send(message, about)
  }

  function negotiated(): void {
    if (verdict !== undefined || closing || lost) return
    stopTimer()
    isUp = true
    start?.ready()
    if (stdio.pid !== undefined) deps.leftovers?.note(stdio.pid, strays)
    if (server.timeout.idleMs > 0) watchIdleness(server.timeout.idleMs)
  }

  function watchIdleness(inMs: number): void {
    stopTimer = clock.after(inMs, () => {
      const left = lastTraffic + server.timeout.idleMs - clock.mono()
      if (left > 0) watchIdleness(left)
      else if (deps.isBusy()) watchIdleness(server.timeout.idleMs)
      else void stop({ code: 'upstream-unavailable', detail: `${server.id}: stopped because it was idle`, planned: true })
    })
  }

  function reject(fault: TransportFault): Promise<void> {
    verdict ??= fault
    return stdio.close()
  }

  async function stop(fault?: TransportFault): Promise<void> {
    closing = true
    if (fault !== undefined) verdict ??= fault
    await stdio.close()
    endedByUs()
  }

  function endedByUs(): void {
    start?.ended({ failed: false, detail: verdict?.detail ?? `${server.id}: closed by the gateway`, ...lastExit })
  }

  function closed(fault: TransportFault): void {
    lost = true
    stopTimer()
    const told = verdict ?? fault
    // Told to the supervisor here and not at the exit, so that a server that hangs while it is being ended counts at once.
    if (!closing) {
      start?.ended({ failed: true, detail: told.detail, ...lastExit })
      showLastWords()
    }
    events?.closed(told)
  }

  /** Why a server fell over is most often said in its last lines. */
  function showLastWords(): void {
    const lines = stdio.stderrTail().slice(-lastWords)
    if (lines.length > 0) deps.log.warn('what the server said last', { server: server.id, lines })
  }

  function onExit(exit: ProcessExit): void {
    lastExit = { code: exit.code, signal: exit.signal }
    if (closing) endedByUs()
  }

  return {
    open,
    send,
    negotiated,
    reject,
    close: () => stop(),
    get backedUp() {
      return stdio.backedUp
    },
    counts: stdio.counts,
    stderrTail: () => stdio.stderrTail(),
  }
}
