// Always drains a server's standard error: the last bytes stay in a ring for diagnosis, a few lines a second go to the log.
import type { Clock } from '../../plugin/index.ts'
import { showControls } from './visible-text.ts'

export interface StderrRingOptions {
  readonly clock: Clock
  /** How much of the end is kept. */
  readonly bytes: number
  readonly linesPerSecond: number
  /** Takes secret values out; runs before a line is cut to length, so that no secret is cut in two. */
  readonly scrub: (text: string) => string
  /** One scrubbed, printable line; before it, at `suppressed` places, lines were passed over. */
  readonly onLine: (line: string, suppressed: number) => void
}

export interface StderrRing {
  push(chunk: Buffer): void
  /** The last lines, scrubbed and printable. For the operator on request; never for health, record or callers. */
  tail(): readonly string[]
  readonly total: number
}

const lf = 10
const readPerLine = 8192
const shownPerLine = 1024

export function createStderrRing(options: StderrRingOptions): StderrRing {
  const ring = Buffer.alloc(options.bytes)
  let total = 0
  let begun: Buffer = Buffer.alloc(0)
  // After lines were passed over, the rest of a line is not shown either: it may hold the second half of a secret.
  let midLine = false
  let suppressed = 0
  let second = Number.NEGATIVE_INFINITY
  let left = 0

  function keep(chunk: Buffer): void {
    const part = chunk.subarray(-ring.length)
    const at = (total + chunk.length - part.length) % ring.length
    const copied = part.copy(ring, at)
    part.copy(ring, 0, copied)
    total += chunk.length
  }

  function refill(): void {
    const now = options.clock.mono()
    if (now - second < 1000) return
    second = now
    left = options.linesPerSecond
  }

  function show(line: Buffer): void {
    const text = present(line)
    if (text === '') return
    left--
    options.onLine(text, suppressed)
    suppressed = 0
  }

  function passOver(): void {
    suppressed++
    midLine = true
    begun = begun.subarray(0, 0)
  }

  function present(line: Buffer): string {
    const text = options.scrub(line.subarray(0, readPerLine).toString('utf8')).trimEnd()
    return showControls(text.length > shownPerLine ? `${text.slice(0, shownPerLine)}...` : text)
  }

  return {
    push(chunk) {
      keep(chunk)
      // A flood costs one copy into the ring; its lines are not even looked at.
      refill()
      if (left <= 0) return passOver()
      let start = 0
      for (let end = chunk.indexOf(lf); end !== -1; end = chunk.indexOf(lf, start)) {
        const line = chunk.subarray(start, end)
        start = end + 1
        if (midLine) midLine = false
        else show(begun.length > 0 ? Buffer.concat([begun, line]) : line)
        begun = begun.subarray(0, 0)
        if (left <= 0) {
          if (start < chunk.length) passOver()
          return
        }
      }
      if (!midLine && begun.length < readPerLine) begun = Buffer.concat([begun, chunk.subarray(start, start + readPerLine)])
    },
    tail() {
      const end = total % ring.length
      const bytes = total <= ring.length ? ring.subarray(0, total) : Buffer.concat([ring.subarray(end), ring.subarray(0, end)])
      // Scrubbed as a whole; where the ring has begun anew its first line is cut, and may hold the rest of a secret.
      const lines = options.scrub(bytes.toString('utf8')).split('\n')
      return (total > ring.length ? lines.slice(1) : lines).map(line => showControls(line.trimEnd())).filter(line => line !== '')
    },
    get total() {
      return total
    },
  }
}
