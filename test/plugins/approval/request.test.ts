// What words make of a request for approval: approved only where others than who asks have met every need, each another one, in time.
import fc from 'fast-check'
import type { Obligation } from 'mcpgw/plugin'
import { expect, test } from 'vitest'
import { type Decider, meets, readNeeds } from '../../../plugins/approval/needs.ts'
import { giveBack, hear, isOver, type Request, show, use } from '../../../plugins/approval/request.ts'

const MINUTE = 60_000
const request = (needs: readonly string[]): Request => ({
  id: 'apr_1',
  key: 'k',
  tenant: 'acme',
  principal: 'ann',
  action: 'tools/call',
  server: 's',
  name: 't',
  needs,
  given: [],
  state: 'waiting',
  at: 0,
  until: MINUTE,
  forMs: MINUTE,
  revision: 1,
})
const approval = (...args: Obligation['args']): Obligation => ({ name: 'approval', args })
const by = (value: string, timeout = '15m'): Obligation => approval({ name: 'by', value }, { name: 'timeout', value: timeout })

test('all obligations of a call are one request: every need, and the shortest time', () => {
  expect(readNeeds([by('role:legal', '1h30m'), by('role:finance'), by('role:legal')])).toEqual({
    needs: ['role:finance', 'role:legal'],
    forMs: 15 * MINUTE,
  })
})

test('what is not written as an approval is none', () => {
  for (const odd of [
    by('finance'),
    by('role:'),
    by('role:x', '15'),
    by('role:x', '0m'),
    approval(),
    approval({ name: 'by', value: 'role:x' }),
  ])
    expect(readNeeds([by('role:finance'), odd])).toBeUndefined()
  expect(readNeeds([])).toBeUndefined()
})

const people = fc.record({
  id: fc.constantFrom('ann', 'bob', 'cyd', 'dan'),
  tenant: fc.constant('acme'),
  roles: fc.subarray(['finance', 'legal', 'other']),
})
const words = fc.array(
  fc.record({
    says: fc.constantFrom('approve' as const, 'approve' as const, 'reject' as const),
    who: people,
    wait: fc.integer({ min: 0, max: 30_000 }),
  }),
  { maxLength: 12 },
)

test('whatever is said by whomever: approved is what different others have approved in time, for every need', () => {
  fc.assert(
    fc.property(fc.subarray(['role:finance', 'role:legal', 'principal:dan'], { minLength: 1 }), words, (needs, said) => {
      let now = 0
      let one = request(needs)
      const yes: { readonly who: Exclude<Decider, 'operator'>; readonly at: number }[] = []
      for (const { says, who, wait } of said) {
        now += wait
        const next = hear(one, { says, who, by: who.id, because: undefined, at: now })
        if (typeof next === 'string') continue
        expect(next.revision).toBe(one.revision + 1)
        expect(now).toBeLessThan(one.until)
        if (says === 'approve') yes.push({ who, at: now })
        else expect(next.state).toBe('rejected')
        one = next
      }
      if (one.state !== 'approved') return
      expect(one.given.map(({ need }) => need).toSorted()).toEqual([...needs].sort())
      expect(new Set(one.given.map(given => given.by)).size).toBe(needs.length)
      for (const given of one.given) {
        expect(given.by).not.toBe('ann')
        const { who } = yes.find(({ who: { id }, at }) => id === given.by && at === given.at)!
        expect(meets(who, [given.need])).toEqual([given.need])
      }
    }),
  )
})

test('says why a word does not count', () => {
  const word = (id: string, roles: string[], at = 1): Parameters<typeof hear>[1] => ({
    says: 'approve',
    who: { id, tenant: 'acme', roles },
    by: id,
    because: undefined,
    at,
  })
  const two = request(['role:finance', 'role:legal'])
  expect(hear(two, word('ann', ['finance']))).toBe('own')
  expect(hear(two, word('bob', ['other']))).toBe('not-yours')
  const half = hear(two, word('bob', ['finance', 'legal'])) as Request
  expect(half.state).toBe('waiting')
  expect(hear(half, word('bob', ['finance', 'legal']))).toBe('given')
  expect(hear(half, word('cyd', ['finance']))).toBe('given')
  expect(hear(half, word('cyd', ['legal'], MINUTE))).toBe('over')
  const whole = hear(half, word('cyd', ['legal'], 5)) as Request
  expect(whole).toMatchObject({ state: 'approved', until: MINUTE + 5 })
  expect(hear(whole, word('dan', ['legal'], 6))).toBe('over')
  // Of another tenant, whoever is called the same is somebody else; the operations do not let him get here.
  expect(hear(two, { ...word('ann', ['finance']), who: { id: 'ann', tenant: 'globex', roles: ['finance'] } })).toMatchObject({
    given: [{ by: 'ann' }],
  })
})

test('whoever asked may take it back, and the operator meets every need', () => {
  const two = request(['role:finance', 'role:legal'])
  const own = { id: 'ann', tenant: 'acme', roles: [] }
  expect(hear(two, { says: 'reject', who: own, by: 'ann', because: 'a slip', at: 1 })).toMatchObject({
    state: 'rejected',
    until: MINUTE + 1,
    rejected: { by: 'ann', at: 1, because: 'a slip' },
  })
  expect(hear(two, { says: 'approve', who: 'operator', by: 'cli:root', because: undefined, at: 1 })).toMatchObject({ state: 'approved' })
})

test('an approval is used once and in time, and comes back where nothing came of the call', () => {
  const approved = hear(request(['role:x']), { says: 'approve', who: 'operator', by: 'o', because: undefined, at: 1 }) as Request
  expect(use(approved, MINUTE + 1)).toBeUndefined()
  expect(isOver(approved, MINUTE + 1)).toBe(true)
  expect(show(approved, MINUTE + 1).state).toBe('expired')
  const used = use(approved, 2)!
  expect(use(used, 3)).toBeUndefined()
  expect(isOver(used, 3)).toBe(true)
  expect(use(giveBack(used), 4)).toMatchObject({ state: 'used', revision: used.revision + 2 })
})
