// Under what a request for approval stands: who asks, what is called with what, and who must agree. Any other call is another request.
import { hash } from 'node:crypto'
import { canonicalText, type Exchange, type Governed, type JsonObject, nameOf } from 'mcpgw/plugin'
import type { Need } from './needs.ts'

/** What says how an answer is to come, or goes on with one that asked for more (2026-07-28): not what is asked for. */
const ENVELOPE: ReadonlySet<string> = new Set(['_meta', 'requestState', 'inputResponses'])

/** The decided params, not the sent ones: what is sent may still be masked. */
export function keyOf(x: Exchange, resource: Governed, needs: readonly Need[]): string {
  const params = Object.entries(x.params.value as JsonObject).filter(([name]) => !ENVELOPE.has(name))
  const definition = 'definition' in resource ? resource.definition : undefined
  const parts = [
    x.principal?.tenant ?? '',
    x.principal?.id ?? '',
    x.direction,
    x.action,
    resource.server,
    resource.version ?? '',
    nameOf(resource),
    definition === undefined ? '' : hash('sha256', definition.bytes, 'base64'),
    needs,
    canonicalText(Object.fromEntries(params)),
  ]
  return hash('sha256', JSON.stringify(parts), 'base64url')
}
