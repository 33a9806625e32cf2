// Memory is bounded, whatever comes; what was not asked for longest goes first, and what has ended is not given.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Entry, Shelf } from '../../../plugins/cache/shelf.ts'

const entry = (size: number, until: number): Entry => ({
  bytes: new Uint8Array(size),
  isError: false,
  meta: undefined,
  isHinted: false,
  at: 0,
  freshUntil: until,
  staleUntil: until,
})

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const act = fc.oneof(
  fc.record({ do: fc.constant('keep' as const), key, size: fc.nat(900), lives: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ do: fc.constant('find' as const), key }),
  fc.record({ do: fc.constant('sweep' as const) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.nat(10) }),
)

test('as the plainest list of what was used last would have it', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), acts => {
      const shelf = new Shelf({ maxEntries: 3, maxBytes: 2000 }, () => {})
      let model: { key: string; entry: Entry }[] = []
      let now = 0
      const size = () => model.reduce((sum, one) => sum + one.entry.bytes.length + 400, 0)
      for (const one of acts) {
        if (one.do === 'wait') now += one.ms
        if (one.do === 'sweep') {
          shelf.sweep(now)
          model = model.filter(kept => now < kept.entry.staleUntil)
        }
        if (one.do === 'keep') {
          const made = entry(one.size, now + one.lives)
          expect(shelf.keep(one.key, made)).toBe(true)
          model = [...model.filter(kept => kept.key !== one.key), { key: one.key, entry: made }]
          while (model.length > 3 || size() > 2000) model.shift()
        }
        if (one.do === 'find') {
          const kept = model.find(each => each.key === one.key)
          model = model.filter(each => each.key !== one.key)
          const isThere = kept !== undefined && now < kept.entry.staleUntil
          if (isThere) model.push(kept)
          expect(shelf.find(one.key, now)).toBe(isThere ? kept.entry : undefined)
        }
        expect([shelf.size, shelf.bytes]).toEqual([model.length, size()])
      }
    }),
  )
})

test('what is larger than all there is room for is not kept, and pushes nothing out', () => {
  const shelf = new Shelf({ maxEntries: 3, maxBytes: 2000 }, () => {})
  shelf.keep('a', entry(10, 5))
  expect(shelf.keep('b', entry(1601, 5))).toBe(false)
  expect(shelf.find('a', 0)).toBeDefined()
})
