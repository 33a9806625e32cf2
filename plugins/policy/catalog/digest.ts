// The digest of a definition: what is equal as JSON has one, however it is written.
import { hash } from 'node:crypto'
import { canonicalText, type Payload } from 'mcpgw/plugin'

/** SHA-256 of the canonical form, hex. */
export function digestOf({ value }: Pick<Payload, 'value'>): string {
  return hash('sha256', canonicalText(value), 'hex')
}
