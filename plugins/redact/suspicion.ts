// The first look at a message, in its JSON text: most have nothing to mask, and are never decoded.
import type { Payload } from 'mcpgw/plugin'
import { mayHoldEncoded } from './encoded.ts'
import { mayName } from './field-path.ts'
import { mayBePercent } from './percent.ts'
import type { Profile } from './profile.ts'
import { mayHaveSeams } from './seam.ts'

/** False only where nothing in it is to be masked. A `quick` look is content with less, and suspects more. */
export function isSuspect({ scanner, patterns, fields }: Profile, payload: Payload, quick = false): boolean {
  if (mayName(fields, payload.text)) return true
  if (scanner === undefined) return false
  // Nothing is known of how a pattern's value may be escaped.
  if (patterns.length > 0 || (scanner.glance(payload.bytes) && (quick || scanner.screen(payload.text)))) return true
  return mayHoldEncoded(payload.bytes) || isPercent(payload) || mayHaveSeams(payload.text)
}

function isPercent({ bytes, text }: Payload): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (buffer.includes('\\u002')) return true
  return (buffer.includes(0x25) || buffer.includes(0x2b)) && mayBePercent(text)
}
