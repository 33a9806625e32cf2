// Reads the one credential of a request from its headers. Query strings are never looked at: they end up in logs.
import type { Peer } from 'mcpgw/plugin'

export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'many' }
  | { readonly kind: 'malformed'; readonly why: string }
  | { readonly kind: 'bearer' | 'api-key'; readonly value: string }
  /** What another gateway has signed. */
  | { readonly kind: 'gateway'; readonly statement: string }

// Spec: RFC 6750 section 2.1, b64token. A comma is not in it, so two values that a proxy joined into one are refused as well.
const bearerPattern = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i
const valuePattern = /^[\x21-\x7e]+$/

const none: Credential = Object.freeze({ kind: 'none' })
const many: Credential = Object.freeze({ kind: 'many' })

export function readCredential(peer: Peer): Credential {
  const bearers = peer.header('authorization')
  const keys = peer.header('x-api-key')
  const statements = peer.header('mcpgw-caller')
  // Invariant: which of two credentials counts is never ours to guess.
  if (bearers.length + keys.length + statements.length > 1) return many
  const statement = statements[0]
  if (statement !== undefined) return { kind: 'gateway', statement }
  const bearer = bearers[0]
  if (bearer !== undefined) {
    const value = bearerPattern.exec(bearer)?.[1]
    return value === undefined ? { kind: 'malformed', why: 'Authorization is not Bearer and one token' } : { kind: 'bearer', value }
  }
  const key = keys[0]
  if (key === undefined) return none
  return valuePattern.test(key) && !key.includes(',')
    ? { kind: 'api-key', value: key }
    : { kind: 'malformed', why: 'X-API-Key is not one key' }
}
