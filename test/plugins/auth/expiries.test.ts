// Keys that expire are found by the clock alone, as a walk over all of them would find them.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createExpiries } from '../../../plugins/auth/expiries.ts'
import { makePrincipal, type RingKey } from '../../../plugins/auth/ring.ts'

const principal = makePrincipal('anna', undefined, [], 'default', { method: 'api-key' })

it('finds what a walk over all keys finds, after any changes', () => {
  const key = fc.record({ digest: fc.constantFrom('a', 'b', 'c', 'd', 'e'), at: fc.option(fc.nat(6)), isClosed: fc.boolean() })
  const span = fc.tuple(fc.nat(7), fc.nat(7))
  fc.assert(
    fc.property(fc.array(key), fc.array(key), span, (first, later, [from, to]) => {
      const make = ({ digest, at, isClosed }: (typeof first)[number]): RingKey => ({
        id: digest,
        digest,
        principal,
        ...(at !== null && { expiresAt: at }),
        ...(isClosed && { closed: 'revoked' as const }),
      })
      const held = new Map(first.map(make).map(one => [one.digest, one]))
      const expiries = createExpiries()
      expiries.replace(held.values())
      for (const next of later.map(make)) {
        const before = held.get(next.digest)
        if (before !== undefined) expiries.remove(before)
        expiries.add(next)
        held.set(next.digest, next)
      }
      const walked = [...held.values()].filter(
        ({ closed, expiresAt }) => closed === undefined && expiresAt !== undefined && from < expiresAt && expiresAt <= to,
      )
      expect(new Set(expiries.between(from, to))).toEqual(new Set(walked))
    }),
  )
})
