// Who runs this process: what operators do is recorded under the name that the operating system knows them by.
import { userInfo } from 'node:os'
import type { Operator } from './plugin/index.ts'

export function findOperator(): Operator {
  const uid = process.getuid?.()
  return { id: `cli:${userName() ?? uid ?? 'unknown'}`, ...(uid !== undefined && { uid }) }
}

/** Undefined for a user id without an entry, as in many containers. */
function userName(): string | undefined {
  try {
    return userInfo().username
  } catch {
    return undefined
  }
}
