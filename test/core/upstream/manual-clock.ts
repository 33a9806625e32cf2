// Clocks for the tests of upstream processes: one that a test turns by hand, and the real one.
import type { Clock, Log } from '../../../core/plugin/index.ts'

export interface ManualClock extends Clock {
  advance(ms: number): void
}

export function createManualClock(): ManualClock {
  let time = 0
  let timers: { at: number; run: () => void }[] = []
  return {
    now: () => 1_700_000_000_000 + time,
    mono: () => time,
    after(ms, run) {
      const timer = { at: time + ms, run }
      timers.push(timer)
      return () => {
        timers = timers.filter(one => one !== timer)
      }
    },
    advance(ms) {
      const end = time + ms
      for (;;) {
        const next = timers.filter(one => one.at <= end).sort((a, b) => a.at - b.at)[0]
        if (next === undefined) break
        timers = timers.filter(one => one !== next)
        time = Math.max(time, next.at)
        next.run()
      }
      time = end
    },
  }
}

export const realClock: Clock = {
  now: () => Date.now(),
  mono: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

export function createLogBook(): { readonly log: Log; readonly lines: LogLine[] } {
  const lines: LogLine[] = []
  const write =
    (level: LogLine['level']) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}) => {
      lines.push({ level, message, fields })
    }
  return { log: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }, lines }
}
