// What one child server may take of us: memory for what it writes, patience at its end.
import type { Patience } from './termination.ts'

export interface StdioLimits extends Patience {
  /** Longest line from the server, bytes. */
  readonly lineBytes: number
  /** What may wait to be read by the server, bytes. */
  readonly queueBytes: number
  /** This many lines in a row that are no message end the connection. */
  readonly garbageLines: number
  readonly stderrBytes: number
  readonly stderrLinesPerSecond: number
}

export const stdioLimits: StdioLimits = {
  lineBytes: 16 * 1024 * 1024,
  queueBytes: 32 * 1024 * 1024,
  garbageLines: 100,
  stderrBytes: 64 * 1024,
  stderrLinesPerSecond: 20,
  inputMs: 1500,
  termMs: 1500,
}
