// Which calls, reads, prompts and methods a rule is about: a server glob and a name glob, compiled once.
import type { TargetPattern } from '../bundle/bundle.ts'
import { literally, type Matcher, nameGlob, uriGlob } from './glob.ts'
import { normaliseUri } from './uri.ts'

/** The gateway's own tools: no `*` means them, they must be named. */
export const RESERVED_SERVER = 'gateway'

export const anything: Matcher = () => true

export function serverMatcher(pattern: string): Matcher {
  if (!pattern.includes('*')) return literally(pattern)
  const glob = nameGlob(pattern)
  return server => server !== RESERVED_SERVER && glob(server)
}

/** For `read`, of normalised uris. */
export function nameMatcher(pattern: Pick<TargetPattern, 'action' | 'name' | 'quoted'>): Matcher {
  if (pattern.action === 'read') return pattern.quoted ? uriGlob(normaliseUri(pattern.name)) : anything
  return pattern.quoted ? literally(pattern.name) : nameGlob(pattern.name)
}

/** A name as rules compare it. */
export function comparable(action: TargetPattern['action'], name: string): string {
  return action === 'read' ? normaliseUri(name) : name
}
