// Never across rights: whatever two callers differ in, neither is shown what the other was, and everybody is shown what he would be without a cache.
import fc from 'fast-check'
import type { Principal } from 'mcpgw/plugin'
import { pass, rewrite } from 'mcpgw/plugin'
import { expect, test } from 'vitest'
import { decider, FOUND, plug, reader, text, world } from './world.ts'

const everybody = { rules: [{ tools: 'files/*', ttl: '1h', scope: 'rights', staleIfError: '1h' }] }
const name = fc.constantFrom('a', 'b')
const principal: fc.Arbitrary<Principal> = fc.record({
  id: name,
  tenant: name,
  roles: fc.subarray(['reader', 'writer', 'a b', 'a', 'b']),
  claims: fc.record({ region: name, level: fc.constantFrom(1, 2, '1') }),
  via: fc.record({ method: name }),
})

/** Hides the text from whoever is no writer: as an obligation of the decision, and by role alone. */
function masking() {
  const { plugin, rules } = decider({ duties: who => (who?.roles.includes('writer') ? [] : [{ name: 'hide', args: [] }]) })
  const shorten = rewrite({ content: [{ type: 'text', text: 'hidden' }] })
  const masker = plug(
    'masker',
    ['masks'],
    {
      discharge: (_duty, stage) => (stage.at === 'answer' && stage.answer.kind === 'result' ? shorten : pass),
      onResponse: ({ principal: who }, { kind }) => (kind === 'result' && who?.claims.region === 'b' ? shorten : pass),
    },
    { discharges: ['hide'] },
  )
  return { rules, plugins: [plugin, masker] }
}

const step = fc.record({
  who: principal,
  path: fc.constantFrom('/a', '/b'),
  digest: fc.constantFrom('v1', 'v2'),
  ms: fc.constantFrom(0, 0, 0, 1_800_000),
  isAway: fc.constantFrom(false, false, false, true),
})

test('of a server that always answers the same, everybody is shown what he would be without a cache', async () => {
  let hits = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 30 }), async steps => {
      const masks = masking()
      const w = await world(everybody, { before: masks.plugins })
      for (const { who, path, digest, ms } of steps) {
        masks.rules.digest = digest
        await w.clock.advance(ms)
        // What the server says depends on what it is sent, and on nothing else.
        w.answer = ({ params }) => ({ result: { content: [{ type: 'text', text: JSON.stringify(params) }] } })
        const params = { name: 'read', arguments: { path } }
        const got = await w.call({ principal: who, params })
        const isHidden = !who.roles.includes('writer') || who.claims.region === 'b'
        expect(text(got)).toBe(isHidden ? 'hidden' : JSON.stringify(params))
        if (!got.asked) hits++
      }
      await w.stop()
    }),
    { numRuns: 150 },
  )
  expect(hits).toBeGreaterThan(0)
})

const rightsOf = ({ tenant, roles, claims, via }: Principal, digest: string): string =>
  JSON.stringify([tenant, [...roles].sort(), claims.region, claims.level, via.method, digest])

test.each(['rights', 'principal', 'session'])(
  'scope %s: an answer is only ever that of a call with the same rights, tenant and policies',
  async scope => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 30 }), async steps => {
        const { plugin, rules } = decider()
        const w = await world({ rules: [{ tools: 'files/*', ttl: '1h', scope, staleIfError: '1h' }] }, { before: [plugin] })
        for (const { who, path, digest, ms, isAway } of steps) {
          rules.digest = digest
          await w.clock.advance(ms)
          const mine = JSON.stringify([rightsOf(who, digest), path, scope === 'rights' ? '' : who.id])
          w.answer = () => (isAway ? { code: 'upstream-unavailable' } : { result: { content: [{ type: 'text', text: mine }] } })
          const got = await w.call({ principal: who, params: { name: 'read', arguments: { path } } })
          if (got.answer?.kind === 'result') expect(text(got)).toBe(mine)
          else expect(isAway).toBe(true)
        }
        await w.stop()
      }),
      { numRuns: 100 },
    )
  },
)

test('two roles in turn: what is hidden from one is never shown to it, nor hidden from the other', async () => {
  const { plugins } = masking()
  const w = await world(everybody, { before: plugins })
  w.answer = () => ({ result: FOUND })
  const as = async (...roles: string[]) => text(await w.call({ principal: { ...reader, roles } }))
  expect([await as('reader'), await as('writer'), await as('reader'), await as('writer')]).toEqual(['hidden', 'found', 'hidden', 'found'])
  expect(w.asks).toBe(2)
})

test('policies that are loaded anew leave nothing of before', async () => {
  const { plugin, rules } = decider()
  const w = await world(everybody, { before: [plugin] })
  await w.call()
  expect((await w.call()).asked).toBe(false)
  rules.digest = 'v2'
  expect((await w.call()).asked).toBe(true)
})

test('scope session is one session of one principal', async () => {
  const w = await world({ rules: [{ tools: 'files/*', ttl: '1h', scope: 'session' }] })
  await w.call({ sessionId: 's1' })
  expect((await w.call({ sessionId: 's1' })).asked).toBe(false)
  expect((await w.call({ sessionId: 's2' })).asked).toBe(true)
  expect((await w.call({ sessionId: 's1', principal: { ...reader, id: 'ben' } })).asked).toBe(true)
})
