// The log tells which call each of its lines is about, by the id that the caller was told too.
import { describe, expect, test } from 'vitest'
import { allow, deny, type Plugin } from '../../../core/plugin/index.ts'
import { harness } from '../../../core/testing/index.ts'
import { plug } from '../define.ts'
import { faults, request } from './stage.ts'

const signs = [{ name: 'sign', args: [] }] as const
const signer = plug(
  'policy',
  ['decides'],
  { onRequest: () => allow(['main:1'], signs), discharge: faults[0]![1] },
  { discharges: ['sign'] },
)

async function lines(...plugins: Plugin[]): Promise<{ id: string; ids: unknown[] }> {
  const world = await harness({ plugins })
  const before = world.log.length
  const calling = world.call('files', 'read', { path: '/a' })
  await world.clock.advance(5_000)
  const called = await calling
  await world.stop()
  return { id: called.exchange.id, ids: world.log.slice(before).map(({ fields }) => fields?.callId) }
}

describe('a line about a call has its id', () => {
  test.each([
    ['denied', request('policy', ['decides'], () => deny('denied', 'not this'))],
    ['an obligation that nobody discharges', plug('policy', ['decides'], { onRequest: () => allow(['main:1'], signs) })],
    ...faults.map(([what, fault]) => [`a plugin that ${what}`, request('policy', ['decides'], fault)] as const),
    ['a plugin that fails with the answer', plug('late', [], { onResponse: faults[0]![1] })],
    ['a plugin that fails when all is over', plug('last', [], { onSettled: faults[0]![1] })],
    ['a plugin that fails to discharge', signer],
  ] as const)('%s', async (_what, plugin) => {
    const { id, ids } = await lines(plugin)
    expect(ids.length).toBeGreaterThan(0)
    expect(new Set(ids)).toEqual(new Set([id]))
  })
})
