// Whose counter a request counts on: a new token of the same caller is no new counter, and no token is taken for a key.
import type { Exchange, Principal, Resource } from 'mcpgw/plugin'
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

it('what the client writes as it likes, uris and methods, is one of its server by tool; tools and prompts that servers list are each their own', () => {
  const of = (resource: Resource): string => whoseOf('tool', { ...request({ method: 'test' }), resource } as Exchange)
  const read = (server: string, uri: string): string => of({ kind: 'read', server, uri })
  expect(new Set(Array.from({ length: 1000 }, (_, i) => read('notes', `file:///${i}`))).size).toBe(1)
  expect(read('other', 'file:///1')).not.toBe(read('notes', 'file:///1'))
  expect(of({ kind: 'method', server: 'notes', method: 'x/1' })).toBe(of({ kind: 'method', server: 'notes', method: 'x/2' }))
  const named = [
    of({ kind: 'call', server: 'notes', tool: 'find' }),
    of({ kind: 'call', server: 'notes', tool: 'add' }),
    of({ kind: 'prompt', server: 'notes', prompt: 'find' }),
    read('notes', 'find'),
  ]
  expect(new Set(named).size).toBe(4)
})
