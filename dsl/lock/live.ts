// A lock that stands in no file: what the servers offer now. Of a server that did not say, nothing is claimed.
import { serverMatcher } from '../evaluator/target.ts'
import type { Lock } from './lock.ts'

/** As messages call it. */
export function nameOfLock({ unreached }: Lock): string {
  return unreached === undefined ? 'the lock' : 'the live catalog'
}

/** Whether a server pattern may mean a server that did not say what it offers. */
export function mayMeanUnreached({ unreached = [] }: Lock, pattern: string): boolean {
  if (unreached.length === 0) return false
  const matches = serverMatcher(pattern)
  return unreached.some(({ id }) => matches(id))
}
