// Whose counter a request counts on: a new token of the same caller is no new counter, and no token is taken for a key.
import type { Exchange, Principal } from 'mcpgw/plugin'
import { expect, it } from 'vitest'
import { keyOf, pers, whoseOf } from '../../../plugins/ratelimit/whose.ts'

const request = (via: Principal['via']): Exchange =>
  ({
    principal: { id: 'ann', tenant: 'acme', roles: [], claims: {}, via },
    peer: { transport: 'http', ip: '192.0.2.1' },
    resource: { kind: 'call', server: 'notes', tool: 'find' },
  }) as unknown as Exchange

it('two tokens of one caller count together, whatever counts', () => {
  const [first, second] = ['token-1', 'token-2'].map(keyId => request({ method: 'jwt', issuer: 'https://login.example', keyId }))
  for (const per of pers) expect(whoseOf(per, second!)).toBe(whoseOf(per, first!))
})

it('a token whose id is that of a key is not that key', () => {
  const key = request({ method: 'api-key', keyId: 'k7m2p9x4' })
  const token = request({ method: 'jwt', keyId: 'k7m2p9x4' })
  expect([keyOf(key), keyOf(token)]).toEqual(['k7m2p9x4', undefined])
  expect(whoseOf('key', token)).not.toBe(whoseOf('key', key))
  expect(whoseOf('key', token)).toBe(whoseOf('principal', token))
})

it('two keys of one caller count apart', () => {
  expect(whoseOf('key', request({ method: 'api-key', keyId: 'a' }))).not.toBe(whoseOf('key', request({ method: 'api-key', keyId: 'b' })))
})
