// Which names a condition has: the lets of its file, and the variables that all targets of its rule have.
import type { Action } from '../ast.ts'

const EVERYWHERE = ['principal', 'request', 'session']
const OF: Readonly<Record<Action, readonly string[]>> = {
  call: ['args', 'tool'],
  prompt: ['args'],
  read: ['resource'],
  method: [],
}

export const allVariables: ReadonlySet<string> = new Set([...EVERYWHERE, 'args', 'tool', 'resource'])

/** Of a rule without targets: all, so that only what is missing is said. */
export function variablesOf(actions: readonly Action[]): ReadonlySet<string> {
  if (actions.length === 0) return allVariables
  return new Set([...allVariables].filter(name => EVERYWHERE.includes(name) || actions.every(action => OF[action].includes(name))))
}
