// Rule 5 of the plugin contract: obligations cover request, notifications and answer; an unmet one is a deny.
import { expect, test } from 'vitest'
import { pass } from '../../../core/plugin/index.ts'
import { harness } from '../../../core/testing/index.ts'
import { plug } from '../define.ts'
import { allower, code, faults, through } from './stage.ts'

test('an obligation that nobody can carry out is a deny', async () => {
  const { world, called, sent } = await through(allower([{ name: 'approval', args: [] }]))
  expect([code(called), sent]).toEqual(['unmet-obligation', []])
  expect(world.log).toContainEqual(expect.objectContaining({ fields: expect.objectContaining({ obligation: 'approval' }) }))
})

test('obligations are carried out in a fixed order, on the request, each notification and the answer, errors included', async () => {
  const stages: string[] = []
  const names = ['limit', 'approval', 'other', 'redact', 'log']
  const worker = plug(
    'worker',
    ['masks'],
    {
      discharge: ({ name }, { at }) => {
        stages.push(`${at} ${name}`)
        return pass
      },
    },
    { discharges: names },
  )
  const given = ['log', 'redact', 'other', 'limit', 'approval'].map(name => ({ name, args: [] as [] }))
  const world = await harness({ plugins: [allower(given), worker] })
  world.upstream.on('s', async (_request, reply) => {
    await reply.notify('notifications/progress', { progress: 1 })
    return { content: [] }
  })
  await world.call('s', 't')
  expect(stages).toEqual(['request', 'notification', 'answer'].flatMap(at => names.map(name => `${at} ${name}`)))
})

test.each(faults)('a discharger that %s on the request refuses it, on the way back it withholds', async (_what, fault) => {
  for (const at of ['request', 'answer'] as const) {
    const worker = plug(
      'worker',
      ['masks'],
      { discharge: (_obligation, stage) => (stage.at === at ? fault() : pass) },
      { discharges: ['redact'] },
    )
    const world = await harness({ plugins: [allower([{ name: 'redact', args: [] }]), worker] })
    const calling = world.call('s', 't')
    for (let i = 0; i < 3; i++) await world.clock.advance(5_000)
    const called = await calling
    expect(code(called) ?? called.answer?.code).toBe(at === 'request' ? 'plugin-failed' : 'withheld')
    expect(world.upstream.received).toHaveLength(at === 'request' ? 0 : 1)
  }
})
