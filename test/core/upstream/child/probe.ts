// Opens a stdio transport to the odd server and gathers its events so that a test can await them one by one.
import { fileURLToPath } from 'node:url'
import { createStdioTransport, type StdioOptions, type StdioTransport } from '../../../../core/upstream/child/stdio.ts'
import type { StdioLimits } from '../../../../core/upstream/child/stdio-limits.ts'
import type { TransportFault } from '../../../../core/upstream/transport.ts'
import { createLogBook, type LogLine, realClock } from '../manual-clock.ts'

export type ProbeEvent =
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'failed'; readonly id: number; readonly fault: TransportFault }
  | { readonly kind: 'closed'; readonly fault: TransportFault }
  | { readonly kind: 'exit'; readonly code: number | null; readonly signal: string | null }

export interface Probe {
  readonly transport: StdioTransport
  readonly events: readonly ProbeEvent[]
  readonly log: readonly LogLine[]
  /** The next event not yet taken. */
  next(): Promise<ProbeEvent>
  request(id: number, text: string): void
}

export const oddServer: string = fileURLToPath(new URL('../../../fixtures/odd-server.mjs', import.meta.url))

export async function openProbe(
  args: readonly string[],
  limits: Partial<StdioLimits> = {},
  more: Partial<StdioOptions> = {},
): Promise<Probe> {
  const { log, lines } = createLogBook()
  const events: ProbeEvent[] = []
  let taken = 0
  let wake = (): void => {}
  const add = (event: ProbeEvent): void => {
    events.push(event)
    wake()
  }
  const transport = createStdioTransport({
    server: 'odd',
    command: process.execPath,
    args: [oddServer, ...args],
    env: {},
    clock: realClock,
    log,
    scrub: text => text,
    limits: { inputMs: 100, termMs: 100, ...limits },
    onExit: ({ code, signal }) => add({ kind: 'exit', code, signal }),
    ...more,
  })
  await transport.open({
    message: bytes => add({ kind: 'message', text: Buffer.from(bytes).toString() }),
    failed: (id, fault) => add({ kind: 'failed', id, fault }),
    closed: fault => add({ kind: 'closed', fault }),
  })
  return {
    transport,
    events,
    log: lines,
    async next() {
      while (events.length <= taken) await new Promise<void>(resolve => (wake = resolve))
      return events[taken++]!
    },
    request: (id, text) => transport.send(Buffer.from(text), { kind: 'request', id }),
  }
}

/** Whether the process runs; a zombie that nobody has reaped does not. */
export async function isRunning(pid: number): Promise<boolean> {
  const { readProcess } = await import('../../../../core/upstream/child/proc-stat.ts')
  if (process.platform !== 'linux') {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }
  const state = readProcess(pid)?.state
  return state !== undefined && state !== 'Z' && state !== 'X'
}
