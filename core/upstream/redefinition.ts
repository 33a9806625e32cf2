// Tools whose definition a server has changed since it was last seen: whoever approved the old one has not approved this one.
import { createHash } from 'node:crypto'
import type { Items } from './listing.ts'

export interface Redefined {
  readonly tool: string
  /** SHA-256 of the definition as the server sent it, hex. */
  readonly before: string
  readonly now: string
}

/** So many of one list are told, and so much of each name. */
const TOLD = 20
const TOLD_LENGTH = 200

/** A tool that has come or gone is no change of a definition: `list_changed` is for that. */
export function findRedefined(before: Items, now: Items): readonly Redefined[] {
  const known = new Map(before.map(item => [item.string('name')!, item]))
  const found: Redefined[] = []
  for (const item of now) {
    const name = item.string('name')!
    const old = known.get(name)
    if (old === undefined || Buffer.compare(old.bytes, item.bytes) === 0) continue
    found.push({ tool: name.slice(0, TOLD_LENGTH), before: digest(old.bytes), now: digest(item.bytes) })
    if (found.length === TOLD) break
  }
  return found
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
