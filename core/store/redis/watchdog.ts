// Tells a server that has fallen silent from a process that is itself held up: only time in which this process could have heard an answer counts.

/** An answer to any command is a sign of life: answers come in order. */
export const SILENT_MS = 200
/** And no command waits for longer, however many answers come meanwhile. */
const LONGEST_MS = 800
const TICK_MS = 50

export interface Watchdog {
  sent(): void
  answered(): void
  stop(): void
}

/** Calls back once, and then no more. */
export function createWatchdog(onSilent: (ms: number) => void): Watchdog {
  /** The tick in which each was sent that has no answer. */
  const waiting: number[] = []
  let tick = 0
  let alive = 0
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  function look(): void {
    timer = undefined
    if (stopped || waiting.length === 0) return
    tick += 1
    const oldest = waiting[0]!
    const isSilent = (tick - Math.max(oldest, alive)) * TICK_MS >= SILENT_MS
    if (!isSilent && (tick - oldest) * TICK_MS < LONGEST_MS) return arm()
    stopped = true
    onSilent(isSilent ? SILENT_MS : LONGEST_MS)
  }

  function arm(): void {
    // Two rounds of the event loop after the timer, between which what lies in the socket is read.
    timer = setTimeout(() => setImmediate(() => setImmediate(look)), TICK_MS)
    timer.unref()
  }

  return {
    sent() {
      waiting.push(tick)
      if (timer === undefined && waiting.length === 1) arm()
    },
    answered() {
      waiting.shift()
      alive = tick
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
