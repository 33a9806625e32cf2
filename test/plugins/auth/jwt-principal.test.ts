// Whom a token stands for: roles, tenant, id and facts from the claims that the config names, strictly, and nothing else of the token.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { issuerSchema } from '../../../plugins/auth/jwt-config.ts'
import { mapClaims } from '../../../plugins/auth/jwt-principal.ts'
import { rolePattern } from '../../../plugins/auth/names.ts'
import { audience, goodClaims, issuer } from './tokens.ts'

const configOf = (more: object) => issuerSchema.parse({ issuer, audience, jwks: { keys: [{}] }, ...more })
const map = (claims: object, more: object = {}) => mapClaims({ ...goodClaims, ...claims }, configOf(more))
const principalOf = (claims: object, more: object = {}) => {
  const mapped = map(claims, more)
  if ('why' in mapped) throw new Error(mapped.why)
  return mapped.principal
}
const roles = { claims: { roles: 'roles' } }

describe('roles', () => {
  it.each<[string, unknown]>([
    ['a text', 'admin'],
    ['several in one text', 'reader writer'],
    ['an object', { 0: 'admin' }],
    ['a wildcard', ['*']],
    ['a wildcard among others', ['reader', '*']],
    ['a role with a wildcard in it', ['admin*']],
    ['two roles in one', ['reader,admin']],
    ['an empty role', ['']],
    ['a number', ['reader', 1]],
    ['a list in a list', [['admin']]],
    ['null', null],
    ['true', true],
  ])('that are %s refuse the token', (_, claim) => {
    expect(map({ roles: claim }, roles)).toEqual({ why: 'the claim of the roles is no list of roles' })
  })

  it.each<[string, object, object]>([
    ['an empty list', { roles: [] }, roles],
    ['no claim', {}, roles],
    ['a claim that is not mapped', { roles: ['admin'], groups: ['admin'] }, {}],
    ['a claim of another name', { realm_access: ['admin'] }, { claims: { roles: ['realm_access', 'roles'] } }],
  ])('are none with %s', (_, claims, more) => {
    expect(principalOf(claims, more).roles).toEqual([])
  })

  it('are found in a claim of any name, and along a path', () => {
    expect(principalOf({ 'https://example.com/roles': ['a'] }, { claims: { roles: 'https://example.com/roles' } }).roles).toEqual(['a'])
    expect(principalOf({ realm_access: { roles: ['a', 'a', 'b'] } }, { claims: { roles: ['realm_access', 'roles'] } }).roles).toEqual([
      'a',
      'b',
    ])
  })

  it('are never others than the claim has, whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), claim => {
        const mapped = map({ roles: claim }, roles)
        const isList = Array.isArray(claim) && claim.every(role => typeof role === 'string' && rolePattern.test(role))
        if (!isList) {
          expect('why' in mapped).toBe(true)
          return
        }
        expect('principal' in mapped && mapped.principal.roles).toEqual([...new Set(claim)])
      }),
      { numRuns: 500 },
    )
  })

  it('with any well-formed names are these', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[A-Za-z0-9_.:-]{1,64}$/)), list => {
        expect(principalOf({ roles: list }, roles).roles).toEqual([...new Set(list)])
      }),
    )
  })
})

describe('the tenant', () => {
  const mapped = { claims: { tenant: 'org' } }

  it('is the one of the config, or default, whatever the token says', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        expect(principalOf({ tenant: value, org: value }).tenant).toBe('default')
        expect(principalOf({ tenant: value, org: value }, { tenant: 'acme' }).tenant).toBe('acme')
      }),
    )
  })

  it.each([undefined, null, '', '*', 'a b', 'acme\0', ['acme'], { id: 'acme' }, 1])(
    'is refused where the claim that should say it is %j',
    claim => {
      expect(map({ org: claim }, mapped)).toEqual({ why: 'the claim of the tenant names none that is accepted' })
    },
  )

  it('is one of those that the issuer may name', () => {
    const some = { ...mapped, tenants: ['acme', 'beta'] }
    expect(principalOf({ org: 'acme' }, some).tenant).toBe('acme')
    expect(map({ org: 'gamma' }, some)).toMatchObject({ why: expect.any(String) })
    expect(principalOf({ org: 'gamma' }, mapped).tenant).toBe('gamma')
  })
})

describe('the principal', () => {
  it('is named by the claim and the prefix of its issuer, and by nothing else', () => {
    expect(principalOf({ email: 'a@b.c', sub: 'auth0|1' }, { idPrefix: 'corp:' })).toMatchObject({ id: 'corp:auth0|1' })
    expect(principalOf({ email: 'a@b.c' }, { claims: { id: 'email', name: 'name' } })).toMatchObject({ id: 'a@b.c' })
    expect(principalOf({ name: 'Ann' }, { claims: { name: 'name' } }).name).toBe('Ann')
    expect('name' in principalOf({ name: 'Ann\nroot' }, { claims: { name: 'name' } })).toBe(false)
  })

  it('says by which issuer and which token it was authenticated', () => {
    expect(principalOf({}).via).toEqual({ method: 'jwt', issuer, keyId: 'token-1' })
    for (const jti of [undefined, '', 1, 'a b', 'x'.repeat(129)]) expect(principalOf({ jti }).via).toEqual({ method: 'jwt', issuer })
  })

  it('has the claims that are kept and no other, in objects without a prototype', () => {
    const keep = { claims: { keep: { department: 'department', country: ['address', 'country'], proto: '__proto__', none: 'none' } } }
    const principal = principalOf(
      JSON.parse('{"department":{"id":7},"address":{"country":"NL","street":"x"},"secret":1,"__proto__":{"a":1}}') as object,
      keep,
    )
    expect(JSON.parse(JSON.stringify(principal.claims))).toEqual({
      department: { id: 7 },
      country: 'NL',
      ...(principal.claims.proto ? { proto: { a: 1 } } : {}),
    })
    expect(Object.getPrototypeOf(principal.claims)).toBe(null)
    expect([Object.getPrototypeOf(principal.claims.department), Object.isFrozen(principal.claims.department)]).toEqual([null, true])
  })

  it('gets nothing from a prototype', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty'])
      expect(principalOf({}, { claims: { keep: { it: name }, roles: ['roles', name] } })).toMatchObject({ claims: {}, roles: [] })
  })
})

it.each<[unknown, string[]]>([
  ['mcp crm:write', ['mcp', 'crm:write']],
  [
    ['mcp', 'crm:write'],
    ['mcp', 'crm:write'],
  ],
  ['', []],
  [undefined, []],
])('scopes %j are %j, as "scope" or as "scp"', (claim, scopes) => {
  for (const name of ['scope', 'scp']) {
    const mapped = map({ [name]: claim })
    expect('scopes' in mapped && [...mapped.scopes]).toEqual(scopes)
  }
})

it.each([1, { a: 1 }, [1]])('scopes that are %j refuse the token', claim => {
  expect(map({ scope: claim })).toEqual({ why: 'the scopes are no list' })
})
