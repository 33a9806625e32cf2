// Whose token is at hand, and for how long: that of a request while it is served, of a caller who was authenticated by it.
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createCallers, type Served } from '../../../core/credentials/callers.ts'
import type { Principal } from '../../../core/plugin/index.ts'
import { NOTHING_SHOWN } from '../../../core/upstream/behalf.ts'

const jwt = (claims: object): string => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`

function request(authorization: readonly string[], method = 'jwt', id = 'ann'): Served {
  const principal: Principal = { id, roles: [], tenant: 'default', claims: {}, via: { method } }
  return { principal, peer: { transport: 'http', header: name => (name === 'authorization' ? authorization : []) } }
}
const callers = () => createCallers(principal => principal?.id ?? '')

it('a token is at hand while its request is served, and forgotten at its end by whoever still knows of it', () => {
  const all = callers()
  const token = jwt({ sub: 'ann' })
  const [first, second] = [request([`Bearer ${token}`]), request([`bearer  ${token}`])]
  all.begin(first)
  all.begin(first)
  all.begin(second)
  const behalf = all.of(first)!
  expect([behalf.token(), all.find('ann')?.token(), all.find('bob')]).toEqual([token, token, undefined])
  all.end(first)
  all.end(first)
  expect([behalf.token(), all.of(first), all.find('ann')?.token()]).toEqual([undefined, NOTHING_SHOWN, token])
  all.end(second)
  expect(all.find('ann')).toBeUndefined()
})

it.each<[string, readonly string[], string]>([
  ['an API key', [`Bearer ${jwt({})}`], 'api-key'],
  ['a certificate', [`Bearer ${jwt({})}`], 'mtls'],
  ['two headers', [`Bearer ${jwt({})}`, `Bearer ${jwt({})}`], 'jwt'],
  ['no header', [], 'jwt'],
  ['a token that is none of three parts', ['Bearer opaque-token'], 'jwt'],
  ['two tokens in one header', [`Bearer ${jwt({})}, Bearer ${jwt({})}`], 'jwt'],
  ['another scheme', [`Basic ${jwt({})}`], 'jwt'],
])('nothing is at hand of a caller with %s', (_what, authorization, method) => {
  const all = callers()
  const served = request(authorization, method)
  all.begin(served)
  expect([all.of(served), all.find('ann')]).toEqual([NOTHING_SHOWN, undefined])
})

it('two tokens share rights only where they differ in nothing but times and their own ids', () => {
  const rightsOf = (claims: object): string => {
    const all = callers()
    const served = request([`Bearer ${jwt(claims)}`])
    all.begin(served)
    return all.of(served)!.rights
  }
  const claims = fc.dictionary(fc.constantFrom('sub', 'scope', 'roles', 'azp', 'act', 'x'), fc.oneof(fc.string(), fc.array(fc.string())))
  fc.assert(
    fc.property(claims, claims, fc.nat(), (one, other, time) => {
      const same = { exp: time, jti: String(time), ...one, iat: time, nbf: time }
      expect(rightsOf(same)).toBe(rightsOf({ ...one, exp: 1 }))
      const isSame = isDeepStrictEqual({ ...one }, { ...other })
      expect(rightsOf(one) === rightsOf(other)).toBe(isSame)
    }),
  )
})
