// Health has one place for a plugin, whatever its sides say and in whatever order.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createConditions } from '../../../core/plugin/conditions.ts'
import type { PluginContext } from '../../../core/plugin/index.ts'

type Shown = Parameters<PluginContext['health']>[0]

test('what is amiss is shown, the worst first, and nothing where nothing is; only changes are told', () => {
  const told = fc.record({
    side: fc.constantFrom('log', 'store', 'policies'),
    why: fc.option(fc.constantFrom('full', 'away', 'old'), { nil: undefined }),
    status: fc.constantFrom(undefined, 'degraded' as const, 'failing' as const),
  })
  fc.assert(
    fc.property(fc.array(told, { maxLength: 20 }), all => {
      const seen: Shown[] = []
      const tell = createConditions(state => void seen.push(state))
      const now = new Map<string, { why: string; failing: boolean }>()
      for (const { side, why, status } of all) {
        tell(side, why, status)
        if (why === undefined) now.delete(side)
        else now.set(side, { why, failing: status === 'failing' })
        const last = seen.at(-1)
        if (now.size === 0) expect(last).toBeUndefined()
        else {
          const failing = [...now.values()].filter(one => one.failing).map(one => one.why)
          const others = [...now.values()].filter(one => !one.failing).map(one => one.why)
          expect(last!.status).toBe(failing.length > 0 ? 'failing' : 'degraded')
          const whys = last!.why.split('; ')
          expect(whys.slice(0, failing.length).toSorted()).toEqual(failing.toSorted())
          expect(whys.slice(failing.length).toSorted()).toEqual(others.toSorted())
        }
      }
      for (const [i, state] of seen.entries()) expect(state).not.toEqual(i === 0 ? undefined : seen[i - 1])
    }),
  )
})
