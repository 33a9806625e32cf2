// What every check is given beside the bundle.
import type { Bundle } from '../bundle/bundle.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Lock } from '../lock/lock.ts'

export interface CheckContext {
  /** Absent: names and types cannot be known, and are not claimed. */
  readonly lock?: Lock | undefined
  /** What the servers offer now, where somebody has asked them: what differs from the lock is told. */
  readonly live?: Lock | undefined
  /** Obligations that somebody carries out. */
  readonly dischargers: ReadonlySet<string>
  readonly now: Date
}

/** One question about a bundle without syntax errors; one file each. */
export type Check = (bundle: Bundle, context: CheckContext) => Iterable<Diagnostic>
