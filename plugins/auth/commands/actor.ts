// Who runs a key command: the user of the operating system, for the record.
import { userInfo } from 'node:os'

export function findActor(): string {
  try {
    return `cli:${userInfo().username}`
  } catch {
    // A user id without an entry, as in many containers.
    return `cli:${process.getuid?.() ?? 'unknown'}`
  }
}
